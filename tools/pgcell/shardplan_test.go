package pgcell_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/usage"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// sharedEnv makes the tests below a suite that TestShards divides; its value says what else they do.
const sharedEnv = "PGCELL_TEST_SHARED"

func init() {
	if os.Getenv("PGCELL_LISTING") != "" && os.Getenv(sharedEnv) == "broken" {
		fmt.Println("database is down")
		os.Exit(3)
	}
}

func shared(t *testing.T) {
	t.Helper()
	if os.Getenv(sharedEnv) == "" {
		t.Skip("runs as a child of TestShards alone")
	}
}

func TestSharedA(t *testing.T) {
	shared(t)
	t.Run("x", func(*testing.T) {})
	t.Run("y", func(*testing.T) {})
}
func TestSharedB(t *testing.T) {
	shared(t)
	if os.Getenv(sharedEnv) == "wait" {
		time.Sleep(time.Second) // until the first record
	}
}
func TestSharedC(t *testing.T) { shared(t) }
func TestSharedD(t *testing.T) {
	shared(t)
	if os.Getenv(sharedEnv) != "worker" {
		return
	}
	fmt.Println("WORKER", pgcell.Worker(), os.Getenv("TEST_TOTAL_SHARDS"))
	child := exec.Command(os.Args[0], "-test.run=^TestSharedChild$")
	child.Env = append(os.Environ(), sharedEnv+"=child")
	child.Stdout = os.Stdout
	if err := child.Run(); err != nil {
		t.Error(err)
	}
}

func TestSharedChild(t *testing.T) {
	shared(t)
	fmt.Println("CHILD", pgcell.Worker())
}

func ExampleNew_shared() {
	fmt.Println("example")
	// Output: example
}

func FuzzShared(f *testing.F) {
	f.Add(1)
	f.Fuzz(func(*testing.T, int) {})
}

// shardRun is one shard's end.
type shardRun struct {
	code   int
	output string
	ran    []string // tests, subtests too
	status bool     // TEST_SHARD_STATUS_FILE was touched
}

var runLine = regexp.MustCompile(`(?m)^=== RUN +(\S+)$`)

// runShard runs this binary as Bazel runs a shard, by rules_go's wrapper. Variables are NAME=VALUE.
func runShard(t *testing.T, index, total int, args []string, variables ...string) shardRun {
	t.Helper()
	status := filepath.Join(t.TempDir(), "status")
	cmd := exec.Command(os.Args[0], append([]string{"-test.v"}, args...)...)
	for _, e := range os.Environ() {
		ours := strings.HasPrefix(e, "TEST") || strings.HasPrefix(e, "XML_OUTPUT_FILE=") ||
			strings.HasPrefix(e, "PGCELL_MEASURED=")
		if !ours {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, "TEST_TARGET=//x:shared_test", "TEST_BINARY=x/shared_test_/"+filepath.Base(os.Args[0]),
		fmt.Sprint("TEST_TOTAL_SHARDS=", total), fmt.Sprint("TEST_SHARD_INDEX=", index), "TEST_SHARD_STATUS_FILE="+status,
		"XML_OUTPUT_FILE=/dev/null", "GO_TEST_WRAP=0", sharedEnv+"=run")
	cmd.Env = append(cmd.Env, variables...)
	output, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r := shardRun{code: cmd.ProcessState.ExitCode(), output: string(output)}
	for _, m := range runLine.FindAllStringSubmatch(r.output, -1) {
		r.ran = append(r.ran, m[1])
	}
	_, err = os.Stat(status)
	r.status = err == nil
	return r
}

// noTests is what a shard without tests prints; under bazel coverage it says how much it covers, too.
var noTests = regexp.MustCompile(`^testing: warning: no tests to run\nPASS\n(coverage: .*\n)?$`)

const sharedFilter = "TESTBRIDGE_TEST_ONLY=Shared[A-D]$,New_shared,FuzzShared"

func TestShards(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	times := filepath.Join(dir, "pgcell_times.txt")
	mustWrite(t, times, "other_test TestSharedB 90\nshared_test TestSharedC 9\nshared_test TestSharedA 2\n"+
		"shared_test TestGone 50\n")
	for name, c := range map[string]struct {
		args, env []string
		want      [3]string
	}{
		"round robin": {nil, []string{sharedFilter}, [3]string{"TestSharedA TestSharedA/x TestSharedA/y TestSharedD",
			"FuzzShared FuzzShared/seed#0 TestSharedB", "ExampleNew_shared TestSharedC"}},
		// The mean is 5.5 s: C 9, then Example, Fuzz, B and D, which are unknown, by name, and A 2.
		"times": {nil, []string{sharedFilter, "PGCELL_TIMES=" + times}, [3]string{
			"TestSharedA TestSharedA/x TestSharedA/y TestSharedC",
			"ExampleNew_shared TestSharedB", "FuzzShared FuzzShared/seed#0 TestSharedD"}},
		"flags win over the filter": {[]string{"-test.run=SharedA/x|SharedB", "-test.parallel", "2"}, []string{sharedFilter},
			[3]string{"TestSharedA TestSharedA/x", "TestSharedB", ""}},
		"skipped": {[]string{"-test.skip=Shared[BC]|A/y", "-test.run=TestShared[A-D]$"}, nil,
			[3]string{"TestSharedA TestSharedA/x", "TestSharedD", ""}},
		"skip by Bazel": {nil, []string{"TESTBRIDGE_TEST_ONLY=TestShared[A-D]$,-C"},
			[3]string{"TestSharedA TestSharedA/x TestSharedA/y", "TestSharedB", "TestSharedD"}},
		"serial_only": {nil, []string{sharedFilter, "PGCELL_TIMES=" + times, "PGCELL_SERIAL_ONLY=1"}, [3]string{
			"ExampleNew_shared FuzzShared FuzzShared/seed#0 TestSharedA TestSharedA/x TestSharedA/y TestSharedB TestSharedC TestSharedD",
			"", ""}},
		"fail fast": {nil, []string{"TESTBRIDGE_TEST_ONLY=TestSharedC$", "TESTBRIDGE_TEST_RUNNER_FAIL_FAST=1"},
			[3]string{"TestSharedC", "", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for index, want := range c.want {
				r := runShard(t, index, 3, c.args, c.env...)
				slices.Sort(r.ran)
				if got := strings.Join(r.ran, " "); got != want || r.code != 0 || !r.status {
					t.Errorf("shard %d ran %s, want %s; exit code %d, want 0; status file touched: %v, want true\n%s",
						index, got, want, r.code, r.status, r.output)
				}
				if want == "" && !noTests.MatchString(r.output) {
					t.Errorf("shard %d without tests printed %q", index, r.output)
				}
			}
		})
	}
}

// With coverage, a shard without tests goes the way of all, for the data is written at its end.
func TestEmptyShardWithCoverage(t *testing.T) {
	t.Parallel()
	r := runShard(t, 1, 2, nil, "TESTBRIDGE_TEST_ONLY=TestSharedA", "COVERAGE_DIR="+t.TempDir())
	if r.code != 0 || len(r.ran) != 0 || !strings.Contains(r.output, "no tests to run") {
		t.Errorf("the empty shard ran %v and ended with %d, want none and 0:\n%s", r.ran, r.code, r.output)
	}
}

// Worker says the shard's name though its variables have been taken over, in children too, which run the test that
// they are called for.
func TestWorkerUnderPlan(t *testing.T) {
	t.Parallel()
	r := runShard(t, 0, 7, nil, "TESTBRIDGE_TEST_ONLY=TestSharedD", sharedEnv+"=worker", "PGCELL_LOG=1")
	for _, want := range []string{"WORKER w0 \n", "CHILD w0\n", "pgcell: shard 1 of 7 runs 1 of 1 tests\n"} {
		if !strings.Contains(r.output, want) {
			t.Errorf("output lacks %q:\n%s", want, r.output)
		}
	}
}

// A process that is none of rules_go's shards runs all that its own flags say, as it always did.
func TestUntouchedProcesses(t *testing.T) {
	if os.Getenv("TEST_TARGET") != "" {
		t.Skip("rules_go's main divides the tests by itself then; under go test all run")
	}
	t.Parallel()
	for name, variables := range map[string][]string{
		"wrapper":             {"GO_TEST_WRAP=1"},
		"another program":     {"TEST_BINARY=x/other_test_/other_test"},
		"switched off":        {"PGCELL_SHARD_PLAN=off"},
		"one shard":           {"TEST_TOTAL_SHARDS=1"},
		"no shards":           {"TEST_TOTAL_SHARDS="},
		"no status file":      {"TEST_SHARD_STATUS_FILE="},
		"an index beyond all": {"TEST_SHARD_INDEX=3"},
	} {
		r := runShard(t, 1, 3, []string{"-test.run=TestShared[A-D]$"}, variables...)
		slices.Sort(r.ran)
		all := "TestSharedA TestSharedA/x TestSharedA/y TestSharedB TestSharedC TestSharedD"
		if got := strings.Join(r.ran, " "); got != all || r.code != 0 || r.status {
			t.Errorf("%s: ran %s, exit code %d, status file touched: %v, want all, 0 and false", name, got, r.code, r.status)
		}
	}
	if r := runShard(t, 0, 3, []string{"-test.list=Shared[AB]"}); r.output != "TestSharedA\nTestSharedB\n" {
		t.Errorf("-test.list=Shared[AB] printed %q", r.output)
	}
}

// The processor time is recorded while tests run, where Bazel can pack what they leave: without zip its script fails.
func TestUsageIsRecorded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  []string
		want bool
	}{
		"files":               {nil, true},
		"packed":              {[]string{"TEST_UNDECLARED_OUTPUTS_ZIP=x.zip", "PATH=" + zipDir(t)}, true},
		"packed, without zip": {[]string{"TEST_UNDECLARED_OUTPUTS_ZIP=x.zip", "PATH=/none"}, false},
		"not by Bazel":        {[]string{"TEST_BINARY=other"}, false},
		"a child":             {[]string{"PGCELL_MEASURED=1"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, _, ok := usage.CPU(); !ok {
				t.Skip("not measured on this system")
			}
			dir := t.TempDir()
			env := append([]string{"TEST_UNDECLARED_OUTPUTS_DIR=" + dir, "TEST_TOTAL_SHARDS=", sharedEnv + "=wait"}, c.env...)
			runShard(t, 0, 1, []string{"-test.run=^TestSharedB$"}, env...)
			if _, err := os.Stat(filepath.Join(dir, "pgcell", "usage.json")); (err == nil) != c.want {
				t.Errorf("usage.json: %v, want it there: %v", err, c.want)
			}
		})
	}
}

// zipDir makes a directory with a program zip.
func zipDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink("/bin/sh", filepath.Join(dir, "zip")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A plan that cannot be made fails the shard: another plan than the other shards' would lose tests.
func TestPlanErrors(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "broken.txt")
	mustWrite(t, broken, "shared_test TestSharedA\n")
	for want, variables := range map[string][]string{
		`PGCELL_SHARD_PLAN: got "no", want on or off`: {"PGCELL_SHARD_PLAN=no"},
		"read recorded times in " + broken + `: line 1, "shared_test TestSharedA": want "target test seconds"; ` +
			`remove the line, or write the file anew with "pgcell timings update"`: {"PGCELL_TIMES=" + broken},
		"read recorded times: open /none.txt: no such file or directory":                      {"PGCELL_TIMES=/none.txt"},
		"ask the test binary for its tests, by -test.list: exit status 3\ndatabase is down\n": {sharedEnv + "=broken"},
		"read -test.run=\"Test(\": error parsing regexp: missing closing ): `Test(`":          {"TESTBRIDGE_TEST_ONLY=Test("},
		"touch TEST_SHARD_STATUS_FILE: open /none/x: no such file or directory": {
			"TEST_SHARD_STATUS_FILE=/none/x"},
	} {
		want := "pgcell: plan the shards of //x:shared_test: " + want + "; PGCELL_SHARD_PLAN=off leaves them to rules_go\n"
		if r := runShard(t, 0, 2, nil, variables...); r.output != want || r.code != 1 {
			t.Errorf("%v: exit code %d, want 1; output %q, want %q", variables, r.code, r.output, want)
		}
	}
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
