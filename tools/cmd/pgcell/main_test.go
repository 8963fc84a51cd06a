package main

// Not an external package: testscript runs the command's own run function in this binary.

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write what the commands print into the scripts' golden files")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"pgcell": func() {
			now = func() time.Time { return time.Time{} }
			main()
		},
		"bazel": fakeBazel,
	})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// waitfile FILE waits until the file is there.
			"waitfile": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(waitFile(ts.MkAbs(args[0])))
			},
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("GOMAXPROCS", "2") // a machine with two cores
			env.Setenv("TMPDIR", env.WorkDir)
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			if err := copyFile(filepath.Join("..", "..", "..", "run_tests.sh"), env.WorkDir); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(env.WorkDir, "MODULE.bazel"), nil, 0o666)
		},
	})
}

// copyFile copies a program into a directory.
func copyFile(file, dir string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, filepath.Base(file)), b, 0o777)
}
