package main

// Not an external package: testscript runs the command's own run function in this binary.

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/gc"
	"github.com/pgcell/pgcell/tools/internal/child"
	"github.com/pgcell/pgcell/tools/internal/gohook"
	"github.com/pgcell/pgcell/tools/internal/netns"
	"github.com/pgcell/pgcell/tools/internal/split"
)

var update = flag.Bool("update", false, "write what the commands print into the scripts' golden files")

func TestMain(m *testing.M) {
	netns.Become()
	testscript.Main(m, map[string]func(){
		"pgcell": func() {
			now = func() time.Time { return time.Time{} }
			gc.Shared = nil
			main()
		},
		"bazel":         fakeBazel,
		gohook.Name:     main,
		split.Name:      main,
		split.GroupName: main,
		child.WatchName: main,
		"sql":           sql,
		"sql-in":        sql,
		"sql-as":        sql,
	})
}

// Not parallel, for it measures.
func TestBigRun(t *testing.T) { runScripts(t, "big") }

func TestScripts(t *testing.T) {
	t.Parallel()
	runScripts(t, "script")
}

// runScripts runs the scripts in a directory of testdata.
func runScripts(t *testing.T, dir string) {
	t.Helper()
	golden := t.TempDir() // templates are shared by all scripts
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", dir),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// waitfile FILE waits until the file is there.
			"waitfile": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(waitFile(ts.MkAbs(args[0])))
			},
			// bigrun writes what Bazel tells of 2,000 tests in 200 targets.
			"bigrun": func(ts *testscript.TestScript, _ bool, _ []string) {
				ts.Check(writeBigRun(ts.MkAbs(".")))
			},
			"runquick": runQuick,
			// code CODE ARGUMENTS runs pgcell and wants its exit code.
			"code": wantCode,
			// onedatabase COMMAND... runs a command where localhost:5432 is one database for all.
			"onedatabase": oneDatabase,
			// teamserver starts a server of others, whose databases teamdatabases counts.
			"teamserver":    teamServer,
			"teamdatabases": teamDatabases,
			// gocache has go commands use this machine's cache.
			"gocache": goCache,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("GOMAXPROCS", "2") // a machine with two cores
			env.Setenv("TMPDIR", env.WorkDir)
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			sockets, err := os.MkdirTemp("/tmp", "pgcell-test-") // the working directory's path is too long
			if err != nil {
				return err
			}
			env.Defer(func() { os.RemoveAll(sockets) })
			env.Setenv("PGCELL_SOCKET_DIR", sockets)
			env.Setenv("PGCELL_CACHE", golden)
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

// runQuick runs "pgcell run" with the arguments until one of ten times it ends within a second of Bazel: the machine
// may have other things to do.
func runQuick(ts *testscript.TestScript, _ bool, args []string) {
	const limit, tries = time.Second, 10
	var took time.Duration
	for range tries {
		ts.Check(os.RemoveAll(ts.MkAbs("calls")))
		ts.Check(ts.Exec("pgcell", append([]string{"run"}, args...)...))
		info, err := os.Stat(ts.MkAbs("ended"))
		ts.Check(err)
		if took = time.Since(info.ModTime()); took <= limit {
			return
		}
	}
	ts.Fatalf("the command ended %v after Bazel, %d times in turn; want at most %v", took, tries, limit)
}

// writeBigRun writes the files of the fake Bazel for 200 targets with 10 tests, 30 subtests and 10 cells each.
func writeBigRun(dir string) error {
	var events, tests, cells strings.Builder
	for i := range 10 {
		fmt.Fprintf(&tests, `<testsuite><testcase name="Test%d" time="0.%d10"></testcase>`, i, i)
		for j := range 3 {
			fmt.Fprintf(&tests, `<testcase name="Test%d/sub%d" time="0.010"></testcase>`, i, j)
		}
		tests.WriteString("</testsuite>\n")
		fmt.Fprintf(&cells, `{"test":"Test%d","cell_seconds":0.001,"made":"recycled"}`+"\n", i)
	}
	var errs []error
	for i := range 200 {
		name := fmt.Sprintf("logs%d", i)
		errs = append(errs, os.MkdirAll(filepath.Join(dir, name, "test.outputs", "pgcell"), 0o777))
		for file, text := range map[string]string{
			"test.xml": "<testsuites>" + tests.String() + "</testsuites>", "test.log": "",
			"test.outputs/pgcell/cells.jsonl": cells.String(),
		} {
			errs = append(errs, os.WriteFile(filepath.Join(dir, name, filepath.FromSlash(file)), []byte(text), 0o666))
		}
		fmt.Fprintf(&events, "target //p%d:p_test 1\nresult //p%d:p_test 1 PASSED 1000 start=%d xml=%s/test.xml "+
			"log=%s/test.log\n",
			i, i, 500*i, name, name)
	}
	events.WriteString("finish 0 SUCCESS\n")
	errs = append(errs, os.WriteFile(filepath.Join(dir, "bazel"), []byte(events.String()), 0o666))
	return errors.Join(errs...)
}
