package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pgcell/pgcell/tests/internal/nested"
	"github.com/pgcell/pgcell/tests/internal/source"
)

// builtCommand is the command, built from the source tree once.
var builtCommand = sync.OnceValues(func() (string, error) { return nested.BuildCommand(scratch) })

// bazelOfTests is a Bazel for the command that shares the tests' output base.
func bazelOfTests(t *testing.T) string {
	t.Helper()
	return nested.Bazel{}.MustScript(t, filepath.Join(scratch, "bazel"))
}

// command runs tests with the command in the nested workspace "command", with a history of its own.
func command(t *testing.T, code int, args ...string) string {
	t.Helper()
	return pgcell(t, "command", code, append([]string{"run"}, args...)...)
}

// pgcellIn is a call of the command in a directory, not started yet.
func pgcellIn(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := builtCommand()
	if err != nil {
		t.Fatal(err)
	}
	return nested.Bazel{}.Command(t, path, bazelOfTests(t), dir, args...)
}

// pgcell runs the command in a nested workspace.
func pgcell(t *testing.T, name string, code int, args ...string) string {
	t.Helper()
	cmd := pgcellIn(t, nested.Workspace(t, name), args...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("pgcell %s ended with %d, want %d:\n%s", strings.Join(args, " "), got, code, output.String())
	}
	return output.String()
}

func ensureLine(t *testing.T, output string, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		if !regexp.MustCompile("(?m)" + pattern).MatchString(output) {
			t.Errorf("no line is like %s in\n%s", pattern, output)
		}
	}
}

// 50 failing tests over 8 shards: the third failure stops the run, and no more are counted.
func TestCommandStopsAtMaxfail(t *testing.T) {
	output := command(t, 1, "//red/...", "-n", "8", "--maxfail", "3", "-v")
	ensureLine(t, output, `^stopping: 3 tests failed \(--maxfail 3\)$`, `^0 passed, 3 failed, 0 skipped$`,
		`^FAILED //red:red_test::Test\d\d \[w\d\] 1\.\d\ds  red/red_test\.go:\d+$`)
	if got := strings.Count(output, "red_test.go:") / 2; got > 3+8 {
		t.Errorf("%d failures were printed, want at most 3 and those of 8 tests in flight", got)
	}
	_, list, _ := strings.Cut(output, "interrupted, not counted:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	if got := strings.Count(list, "::"); got > 24 {
		t.Errorf("%d tests were interrupted, want those that 8 workers run within 3 s at most", got)
	}
}

func TestCommandStopsAtTheFirst(t *testing.T) {
	ensureLine(t, command(t, 1, "//red/...", "-x", "-n", "2"), `^stopping: 1 test failed \(--maxfail 1\)$`,
		`^0 passed, 1 failed, 0 skipped$`)
}

// In series one shard runs at a time, and as many tests may fail as there are.
func TestCommandRunsInSeries(t *testing.T) {
	output := command(t, 0, "//green/...", "--serial", "--no-cache", "--color", "yes",
		"--durations", "1", "--durations-min", "0")
	ensureLine(t, output, `^workers: 1 at once`, `TestViewRows`, `3 passed, 0 failed, 1 skipped`)
	if !strings.Contains(output, "\x1b[") {
		t.Errorf("--color yes gives no colours:\n%s", output)
	}
	ensureLine(t, command(t, 0, "//green/...", "-n", "logical", "--no-cache"),
		fmt.Sprintf(`^workers: %d at once`, runtime.NumCPU()))
	// --all takes all suites of the workspace, those that fail too.
	ensureLine(t, command(t, 1, "--all", "--maxfail", "1"), `^stopping: 1 test failed \(--maxfail 1\)$`)
}

// Flags about how tests are run, and not which, leave cached results valid.
func TestCommandKeepsTheCache(t *testing.T) {
	command(t, 0, "//green/...")
	for _, flags := range [][]string{
		{"-n", "1"}, {"--maxfail", "1", "--durations", "9", "-v"},
		{"-k", "green_test", "--ff", "--report", filepath.Join(t.TempDir(), "r.html")},
	} {
		ensureLine(t, command(t, 0, append(flags, "//green/...")...), `^1 of 1 targets cached, `,
			`^3 passed, 0 failed, 1 skipped$`)
	}
	ensureLine(t, command(t, 0, "//green/...", "--no-cache"), `^0 of 1 targets cached, `,
		`^ran, --no-cache: //green:green_test$`)
	ensureLine(t, command(t, 0, "//green/..."), `^1 of 1 targets cached, `)
}

func TestCommandChooses(t *testing.T) {
	ensureLine(t, command(t, 0, "--collect-only", "-k", "testview and not names"),
		`^//green:green_test::TestViewRows$`, `^1 test in 1 suite$`)
	output := command(t, 0, "-k", "testview", "//green/...", "-v", "--durations-min", "0")
	ensureLine(t, output, `^PASSED //green:green_test::TestViewRows/second \[w\d\]`, `^2 passed, 0 failed, 0 skipped$`)
	ensureLine(t, command(t, 0, "-m", "green", "--dist", "loadfile", "-v"),
		`^PASSED //green:green_test::TestIndex \[master\]`)
	ensureLine(t, command(t, 5, "-m", "serial_only"),
		`^pgcell run: -m 'serial_only': none of the tests of 3 suites is left`)
	ensureLine(t, command(t, 0, "green/view_test.go::TestViewRows/first", "-v"), `^PASSED .*::TestViewRows/first`,
		`^1 passed, `)
}

func TestCommandRepeats(t *testing.T) {
	output := command(t, 1, "//flaky/...", "--stress", "3")
	ensureLine(t, output, `^  //flaky:flaky_test::TestSecondRunFails failed 1 of 3 times$`,
		`^8 passed, 1 failed, 0 skipped$`)

	// --lf runs that suite alone, without a filter, so that its results serve the next run.
	// The variable is one that no cache knows.
	unknown := []string{"--", fmt.Sprintf("--test_env=PGCELL_TEST_NOW=%d", time.Now().UnixNano())}
	output = command(t, 0, append([]string{"--lf", "//flaky/...", "//green/..."}, unknown...)...)
	ensureLine(t, output, `^ran, failed last time: //flaky:flaky_test$`, `^3 passed, 0 failed, 0 skipped$`)
	ensureLine(t, command(t, 0, append([]string{"//flaky/..."}, unknown...)...), `^1 of 1 targets cached, `)

	shared := "/dev/shm"
	if _, err := os.Stat(shared); err != nil {
		t.Skip("no directory that the sandbox shares with us: ", err)
	}
	mark := filepath.Join(shared, fmt.Sprintf("pgcell-e2e-mark-%d", os.Getpid()))
	defer os.Remove(mark)
	output = command(t, 0, "//flaky/...", "--rerun-fails", "1", "--", "--test_env=FLAKY_MARK="+mark,
		"--sandbox_writable_path="+shared)
	ensureLine(t, output, `^  //flaky:flaky_test::TestFirstAttemptFails failed 1 of 2 times$`,
		`^3 passed, 0 failed, 0 skipped$`)
	ensureLine(t, command(t, 0, "//flaky/...", "--keep", "-s"), `PGCELL_KEEP=1$`)
}

// The server of a failed test can be reached from outside of the sandbox, for as long as its user wants.
func TestCommandKeeps(t *testing.T) {
	dir := cloneOf(t, "smoke")
	file := filepath.Join(dir, "smoke_test.go")
	text := nested.MustRead(t, file)
	nested.MustWrite(t, file, text+"\nfunc TestRed(t *testing.T) { open(t); t.Error(\"red on purpose\") }\n")
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := pgcellIn(t, dir, "run", "--keep", "--no-cache")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	kept := regexp.MustCompile(`smoke_test.go:\d+: pgcell: kept cell .* until you press Ctrl-C or type: rm -r (\S+)\)`)
	var server []string
	for deadline := time.Now().Add(nested.CallTimeout); server == nil; time.Sleep(100 * time.Millisecond) {
		select {
		case <-ended:
			t.Fatalf("pgcell run --keep did not wait:\n%s", nested.MustRead(t, log.Name()))
		default:
		}
		if server = kept.FindStringSubmatch(nested.MustRead(t, log.Name())); server == nil && time.Now().After(deadline) {
			cmd.Process.Signal(os.Interrupt)
			<-ended
			t.Fatalf("no kept cell in\n%s", nested.MustRead(t, log.Name()))
		}
	}
	conn, err := net.Dial("unix", filepath.Join(server[1], ".s.PGSQL.5432"))
	if err != nil {
		t.Error(err)
	} else {
		conn.Close()
	}
	if err := os.RemoveAll(server[1]); err != nil {
		t.Error(err)
	}
	if err := <-ended; cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("pgcell run --keep ended with %v, want 1:\n%s", err, nested.MustRead(t, log.Name()))
	}
	ensureLine(t, nested.MustRead(t, log.Name()), `^4 passed, 1 failed, 0 skipped$`)
}

// testdata/command.txtar tries what takes a terminal, two commands at once, or another home.
func TestCommandScript(t *testing.T) {
	path, err := builtCommand()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Files: []string{"testdata/command.txtar"}, Setup: func(e *testscript.Env) error {
		for _, variable := range source.Environ() {
			name, value, _ := strings.Cut(variable, "=")
			e.Setenv(name, value)
		}
		e.Setenv("WORKSPACE", nested.Workspace(t, "command"))
		e.Setenv("PGCELL", path)
		e.Setenv("PGCELL_BAZEL", bazelOfTests(t))
		return nil
	}})
}

// Each way to deal the same four tests puts them into other processes.
func TestCommandDeals(t *testing.T) {
	for mode, last := range map[string]string{"load": "w1", "worksteal": "w3", "loadfile": "master", "no": "w1"} {
		args := []string{"--dist", mode, "-v", "//green/..."}
		if mode != "no" {
			args = append(args, "-n", "2")
		}
		output := command(t, 0, args...)
		ensureLine(t, output, `\[`+last+`\]`, `^3 passed, 0 failed, 1 skipped$`)
		if mode == "loadfile" && regexp.MustCompile(`\[w\d\]`).MatchString(output) {
			t.Errorf("--dist loadfile has shards:\n%s", output)
		}
	}
}

func TestCommandCompares(t *testing.T) {
	ensureLine(t, pgcell(t, "command", 0, "compare", "-n", "2", "--rounds", "1", "//green/..."),
		`^suite +serial +parallel +in parallel it$`,
		`^//green:green_test +\d+\.\d\ds +\d+\.\d\ds +(saves \d+ %|takes .+)$`)
}

func TestCommandChoosesPostgres(t *testing.T) {
	for _, version := range []string{"15", "18"} {
		ensureLine(t, pgcell(t, "smoke", 0, "run", "--postgres", version, "-s"), `PostgreSQL `+version+`\.`,
			`^4 passed, 0 failed, 0 skipped$`)
	}
	if dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin"); len(dirs) > 0 {
		ensureLine(t, pgcell(t, "smoke", 0, "run", "--postgres", dirs[0], "-s"), `^4 passed, 0 failed, 0 skipped$`)
	}
	ensureLine(t, pgcell(t, "smoke", 2, "run", "--postgres", "/no/such/directory"), `/no/such/directory`)
}

func TestCommandLooksAtTheMachine(t *testing.T) {
	pgcell(t, "smoke", 0, "run") // so that there is something to look at
	ensureLine(t, pgcell(t, "smoke", 0, "doctor"), `(?i)bazel`, `(?i)postgresql`)
	ensureLine(t, pgcell(t, "smoke", 0, "gc", "--dry-run"), `^(nothing was left behind|would remove .*)$`)
	ensureLine(t, pgcell(t, "smoke", 0, "completion", "bash"), `pgcell`)
}

func TestCommandWritesJUnit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "all.xml")
	command(t, 0, "//green/...", "--junitxml", path)
	if got, want := nested.MustRead(t, path), `<testsuites tests="6" failures="0" skipped="1"`; !strings.Contains(got, want) {
		t.Errorf("JUnit lacks %s:\n%s", want, got)
	}
}
