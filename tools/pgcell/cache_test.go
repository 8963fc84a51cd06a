package pgcell_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pgcell/pgcell/tools/pgcell"
)

// TestCacheChild is the fresh process's part of TestDamagedCacheIsMadeAnew.
func TestCacheChild(t *testing.T) {
	switch os.Getenv("PGCELL_TEST_CACHE_CHILD") {
	case "":
		t.Skip("runs as a child of TestDamagedCacheIsMadeAnew alone")
	case "cell":
		mustScan[int](t, pgcell.New(t), "SELECT 1")
	case "server":
		if _, err := pgcell.Server(t).Pool().Exec(t.Context(), "SELECT 1"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDamagedCacheIsMadeAnew(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	run := func(what string) {
		t.Helper()
		cmd := exec.Command(os.Args[0], "-test.run=^TestCacheChild$")
		cmd.Env = append(os.Environ(), "PGCELL_TEST_CACHE_CHILD="+what, "PGCELL_CACHE="+cache, "PGCELL_TEMPLATE=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", what, err, out)
		}
	}
	size := func() int64 {
		t.Helper()
		files, _ := filepath.Glob(filepath.Join(cache, "*.pgcell"))
		if len(files) != 1 {
			t.Fatalf("in the cache there is %v, want one golden cluster", files)
		}
		info, err := os.Stat(files[0])
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	run("cell")
	whole := size()
	for _, what := range []string{"cell", "server"} {
		for _, keep := range []int64{0, whole / 2} {
			files, _ := filepath.Glob(filepath.Join(cache, "*.pgcell"))
			if err := os.Truncate(files[0], keep); err != nil {
				t.Fatal(err)
			}
			run(what)
			if got := size(); got < whole*9/10 {
				t.Errorf("%s: cut to %d bytes it has %d after the run, want about %d", what, keep, got, whole)
			}
		}
	}
}

// TestPathsOfTheEnvironment has paths that are relative, with a space, or lead nowhere.
func TestPathsOfTheEnvironment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "s s"), 0o700); err != nil {
		t.Fatal(err)
	}
	binary, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-test.run=^TestCacheChild$")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PGCELL_TEST_CACHE_CHILD=cell", "PGCELL_TEMPLATE=", "PGCELL_CACHE=c c",
		"PGCELL_SOCKET_DIR=s s", "TEST_TMPDIR=")
	if testing.CoverMode() == "" { // else package testing writes to TMPDIR
		cmd.Env = append(cmd.Env, "TMPDIR="+filepath.Join(dir, "absent"))
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if made, _ := filepath.Glob(filepath.Join(dir, "c c", "*.pgcell")); len(made) != 1 {
		t.Errorf("the cache holds %q, want one golden cluster", made)
	}
}

func TestCacheThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGCELL_CACHE", file)
	config := pgcell.Config{Migrations: fstest.MapFS{"1.sql": &fstest.MapFile{
		Data: []byte("CREATE TABLE of_test_cache_that_cannot_be_written ()"),
	}}}
	ensureFatal(t, func(f *fakeTB) { pgcell.New(f, config) }, "keep golden cluster: ", file,
		"set PGCELL_CACHE to a directory that can be written to")
}

// TestCacheAsAtStart asks for a template while directories are a test's own, where it would go with the test. Not
// parallel, since it sets variables.
func TestCacheAsAtStart(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "TMPDIR", "TEST_TMPDIR"} {
		t.Setenv(name, dir)
	}
	cell := pgcell.New(t, pgcell.Config{Migrations: fstest.MapFS{"1.sql": &fstest.MapFile{
		Data: []byte("CREATE TABLE of_test_cache_as_at_start ()"),
	}}})
	mustScan[int](t, cell, "SELECT 1")
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the test's own directory holds %v, %v, want nothing", left, err)
	}
}

// TestCacheWithoutHome has no user's cache directory. In the temporary one somebody else may have made pgcell's.
func TestCacheWithoutHome(t *testing.T) {
	t.Parallel()
	for mode, want := range map[os.FileMode]string{0: "", 0o700: "", 0o777: "is not this user's alone; set PGCELL_CACHE"} {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			t.Parallel()
			temp := t.TempDir()
			cache := filepath.Join(temp, fmt.Sprintf("pgcell-golden-%d", os.Getuid()))
			if mode != 0 {
				if err := errors.Join(os.Mkdir(cache, 0o700), os.Chmod(cache, mode)); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command(os.Args[0], "-test.run=^TestCacheChild$")
			cmd.Env = append(os.Environ(), "PGCELL_TEST_CACHE_CHILD=cell", "PGCELL_TEMPLATE=", "PGCELL_CACHE=", "HOME=", "XDG_CACHE_HOME=",
				"TEST_TMPDIR=", "TMPDIR="+temp)
			out, err := cmd.CombinedOutput()
			if (err == nil) != (want == "") || !strings.Contains(string(out), want) {
				t.Errorf("%v\n%s\nwant %q", err, out, want)
			}
			made, _ := filepath.Glob(filepath.Join(cache, "*.pgcell"))
			if (len(made) == 1) != (want == "") {
				t.Errorf("the cache holds %q", made)
			}
		})
	}
}
