package timings_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/timings"
	"github.com/pgcell/pgcell/tools/internal/cli"
)

// run runs "pgcell timings" in a workspace and gives what it prints.
func run(t *testing.T, root string, args ...string) string {
	t.Helper()
	var out strings.Builder
	p := &cli.Process{Stdout: &out, Stderr: &out, Env: []string{"BUILD_WORKSPACE_DIRECTORY=" + root}}
	cmd := timings.Command(p)
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	ran, err := cmd.ExecuteC()
	cli.Report(&out, "pgcell "+ran.CommandPath(), err)
	return out.String()
}

func mustWrite(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// What the last run took is recorded, shown, and written into the BUILD file as a number of shards.
func TestTimings(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	mustWrite(t, root, "MODULE.bazel", "")
	mustWrite(t, root, "a/BUILD.bazel", "pg_go_test(\n    name = \"a_test\",\n)\n")
	mustWrite(t, root, "a/a_test.go", "func TestA(t *testing.T) {}\nfunc TestB(t *testing.T) {}\n")
	mustWrite(t, root, "bazel-testlogs/a/a_test/test.xml",
		`<testsuites><testsuite><testcase name="TestA" time="10"/><testcase name="TestB" time="10"/></testsuite></testsuites>`)
	for _, c := range []struct{ args, want string }{
		{"show", `pgcell timings show: no recorded times: "pgcell timings update" writes them after a run` + "\n"},
		{"update", "a/pgcell_times.txt: 2 of 2 tests changed\n1 of 1 files of recorded times written\n"},
		{"update", "0 of 1 files of recorded times written\n"},
		{"show", `  tests  sum s  shards  slowest s  ideal s  slowest/ideal  longest s  suite
      2  20.00       1      20.00    20.00           1.00      10.00  //a:a_test
//a:a_test: shard_count = 2 would serve
`},
		{"apply", "//a:a_test: shard_count 2, was 1: 2 tests take 20 s, the longest 10 s\n1 of 1 suites changed\n"},
		{"show --worth 0", "pgcell timings show: --worth 0: want seconds, above 0\n"},
		{"", "pgcell timings: want \"update\", \"show\" or \"apply\"\n"},
	} {
		if diff := cmp.Diff(c.want, run(t, root, strings.Fields(c.args)...)); diff != "" {
			t.Errorf("pgcell timings %s differs (-want +got):\n%s", c.args, diff)
		}
	}
	build, err := os.ReadFile(filepath.Join(root, "a", "BUILD.bazel"))
	if err != nil || !strings.Contains(string(build), "shard_count = 2,") {
		t.Errorf("BUILD.bazel is %q, %v, want shard_count = 2", build, err)
	}
}

// The versions of one pg_go_test have recorded times of their own, and one shard_count.
func TestTimingsOfVersions(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	mustWrite(t, root, "MODULE.bazel", "")
	mustWrite(t, root, "a/BUILD.bazel", "pg_go_test(\n    name = \"a_test\",\n    postgres = [\"15\", \"npm-18\"],\n)\n")
	mustWrite(t, root, "a/a_test.go", "func TestA(t *testing.T) {}\nfunc TestB(t *testing.T) {}\n")
	mustWrite(t, root, "bazel-testlogs/a/a_test_15/test.xml",
		`<testsuites><testsuite><testcase name="TestA" time="4"/><testcase name="TestB" time="3"/></testsuite></testsuites>`)
	mustWrite(t, root, "bazel-testlogs/a/a_test_npm-18/test.xml",
		`<testsuites><testsuite><testcase name="TestA" time="8"/><testcase name="TestB" time="7"/></testsuite></testsuites>`)
	for _, c := range []struct{ args, want string }{
		{"update", "a/pgcell_times.txt: 4 of 4 tests changed\n1 of 1 files of recorded times written\n"},
		{"apply", "//a:a_test_15: shard_count 2, was 1: 2 tests take 7 s, the longest 4 s\n" +
			"//a:a_test_npm-18: shard_count 2, was 1: 2 tests take 15 s, the longest 8 s\n2 of 2 suites changed\n"},
		{"apply", "0 of 2 suites changed\n"},
		{"update", "0 of 1 files of recorded times written\n"},
	} {
		if diff := cmp.Diff(c.want, run(t, root, strings.Fields(c.args)...)); diff != "" {
			t.Errorf("pgcell timings %s differs (-want +got):\n%s", c.args, diff)
		}
	}
	build, err := os.ReadFile(filepath.Join(root, "a", "BUILD.bazel"))
	if err != nil || strings.Count(string(build), "shard_count = 2,") != 1 {
		t.Errorf("BUILD.bazel is %q, %v, want shard_count = 2 once", build, err)
	}
}

// TestUpdateWithoutResults has a run's results stay with the remote cache: Bazel then makes empty directories.
func TestUpdateWithoutResults(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	mustWrite(t, root, "MODULE.bazel", "")
	logs := filepath.Join(root, "bazel-testlogs")
	if err := os.MkdirAll(filepath.Join(logs, "a", "a_test"), 0o777); err != nil {
		t.Fatal(err)
	}
	want := "pgcell timings update: no result of a test in " + logs + ": run the tests first; where a remote cache keeps the results, run them " +
		"with --remote_download_outputs=all\n"
	if got := run(t, root, "update"); got != want {
		t.Errorf("pgcell timings update = %q, want %q", got, want)
	}
}
