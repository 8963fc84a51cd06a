package serial_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/serial"
)

// mustWrite makes files below a directory, with the directories that they are in.
func mustWrite(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// TestHere is not parallel, since it changes the working directory and the environment.
func TestHere(t *testing.T) {
	t.Setenv("TEST_SRCDIR", "")
	t.Setenv("RUNFILES_DIR", "")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	mustWrite(t, dir, map[string]string{
		"go/go.mod": "", "go/a/b/x": "", "bazel/MODULE.bazel": "", "bazel/nested/go.mod": "", "bazel/nested/a/x": "", "none/x": "",
	})
	for at, want := range map[string]string{
		"go/a/b": "go/go.mod", "go": "go/go.mod", "bazel/nested/a": "bazel/MODULE.bazel", "bazel": "bazel/MODULE.bazel",
	} {
		t.Chdir(filepath.Join(dir, at))
		if g := serial.Here(); g.Room != filepath.Join(dir, want) || g.Door != filepath.Dir(g.Room) {
			t.Errorf("in %s: the gate is %q and %q, want %s and its directory", at, g.Door, g.Room, want)
		}
	}
	t.Chdir(filepath.Join(dir, "none"))
	if g := serial.Here(); g.Door != serial.Machine().Door || g.Scope != "this machine" {
		t.Errorf("in no module: the gate is that of %s, want this machine", g.Scope)
	}
}

func TestHereUnderBazel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := "out/execroot/_main/bazel-out/k8/bin/a/a_test_/a_test"
	mustWrite(t, dir, map[string]string{program: "", "out/DO_NOT_BUILD_HERE": filepath.Join(dir, "shop"), "shop/MODULE.bazel": ""})
	var doors []string
	for _, g := range serial.BuiltBy(filepath.Join(dir, program)) {
		doors = append(doors, g.Door)
	}
	want := []string{filepath.Join(dir, "shop"), filepath.Join(dir, "out")} // the second where the first cannot be seen
	if len(doors) != 2 || doors[0] != want[0] || doors[1] != want[1] {
		t.Errorf("gates = %q, want %q", doors, want)
	}
}
