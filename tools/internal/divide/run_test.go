package divide_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/divide"
)

var binaries sync.Map // package → func() (string, error)

// mustBinary builds the test binary of a package in testdata/suites, once.
func mustBinary(t *testing.T, pkg string, flags ...string) string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command")
	}
	build := sync.OnceValues(func() (string, error) {
		file := filepath.Join(built, pkg+strings.Join(flags, "")+".test")
		cmd := exec.Command("go", slices.Concat([]string{"test", "-c", "-o", file}, flags, []string{"./" + pkg})...)
		cmd.Dir = suites(t)
		if output, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w: %s", err, output)
		}
		return file, nil
	})
	once, _ := binaries.LoadOrStore(pkg+strings.Join(flags, ""), build)
	file, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// mustRun runs divide.Run and gives the output.
func mustRun(t *testing.T, c divide.Config) (divide.Result, string) {
	t.Helper()
	var out bytes.Buffer
	c.Stdout = &out
	result, err := divide.Run(t.Context(), c)
	if err != nil {
		t.Fatalf("Run(%q) = %v\n%s", c.Args, err, out.String())
	}
	return result, out.String()
}

func TestExitCodeIsTheBinarysOwn(t *testing.T) {
	t.Parallel()
	binary := mustBinary(t, "dies")
	for _, how := range []string{"", "fail", "panic", "goroutine", "exit0", "exit1", "exit3", "kill", "hang"} {
		for _, each := range []bool{false, true} {
			args := []string{"-test.paniconexit0", "-test.timeout=1s"}
			cmd := exec.CommandContext(t.Context(), binary, args...)
			cmd.Env = append(os.Environ(), "DIES="+how)
			_, _ = cmd.CombinedOutput()
			want := divide.Result{Exit: cmd.ProcessState.ExitCode()}
			if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
				want.Exit, want.Signal = 128+int(status.Signal()), status.Signal()
			}
			got, out := mustRun(t, divide.Config{
				Binary: binary, Args: args, Shards: 2, Each: each,
				Env: func(int) ([]string, func(), error) { return []string{"DIES=" + how}, nil, nil },
			})
			if got.Exit != want.Exit || got.Signal != want.Signal {
				t.Errorf("%q, each %v: exit code %d and signal %v, want %d and %v\n%s",
					how, each, got.Exit, got.Signal, want.Exit, want.Signal, out)
			}
		}
	}
}

// lines gives the lines of an output, sorted, without times.
func lines(output string) []string {
	all := slices.Sorted(strings.Lines(output))
	for i, line := range all {
		if before, _, ok := strings.Cut(line, "s)"); ok && strings.Contains(line, "--- ") {
			all[i] = before[:strings.LastIndexByte(before, '(')]
		}
	}
	return all
}

// Without -json, what is printed is the same too, but for what TestMain prints, once a process.
func TestOutputIsThatOfOneProcess(t *testing.T) {
	t.Parallel()
	binary := mustBinary(t, "mixed")
	for _, args := range [][]string{nil, {"-test.v"}, {"-test.v=true", "-test.run=Sub/t|Fails|Parallel"}} {
		args = append(args, "-test.skip=TestPrints") // without framing nobody can tell them from verdicts
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Env = append(os.Environ(), "MIXED=fails")
		undivided, _ := cmd.CombinedOutput()
		result, out := mustRun(t, divide.Config{
			Binary: binary, Args: args, Shards: 3,
			Env: func(int) ([]string, func(), error) { return []string{"MIXED=fails"}, nil, nil },
		})
		if result.Processes != 3 {
			t.Errorf("%q: %d processes, want 3", args, result.Processes)
		}
		once := func(word string, of []string) []string {
			return slices.DeleteFunc(of, func(line string) bool { return strings.Contains(line, word) })
		}
		// A pause depends on what else runs.
		want := once("=== PAUSE", once("=== CONT", once("=== NAME", once("main ", lines(string(undivided))))))
		got := once("=== PAUSE", once("=== CONT", once("=== NAME", once("main ", lines(out)))))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-undivided +divided):\n%s", args, last(diff))
		}
		if n := strings.Count(out, "main begins\n"); n != 3 {
			t.Errorf("%q: TestMain is heard %d times, want 3", args, n)
		}
		if diff := cmp.Diff([]string{"TestFails"}, result.Failed); diff != "" {
			t.Errorf("%q: failed (-want +got):\n%s", args, diff)
		}
	}
}

// Where standard output and standard error are two, each gets what is its own.
func TestTwoStreams(t *testing.T) {
	t.Parallel()
	var out, other bytes.Buffer
	_, err := divide.Run(t.Context(), divide.Config{
		Binary: mustBinary(t, "waits"), Args: []string{"-test.run=Test1/x|Test2/x"}, Shards: 2, Stdout: &out, Stderr: &other,
	})
	if err != nil || out.String() != "PASS\n" || other.String() != "" {
		t.Errorf("out %q, err %q, %v, want PASS alone", out.String(), other.String(), err)
	}
}

func TestShuffleHasOneSeed(t *testing.T) {
	t.Parallel()
	_, out := mustRun(t, divide.Config{
		Binary: mustBinary(t, "mixed"), Args: []string{"-test.shuffle=on", "-test.v"}, Shards: 3,
	})
	if n := strings.Count(out, "-test.shuffle "); n != 1 {
		t.Errorf("the seed is said %d times, want once", n)
	}
}

func TestFailFastStartsNoMore(t *testing.T) {
	t.Parallel()
	result, out := mustRun(t, divide.Config{
		Binary: mustBinary(t, "dies"), Args: []string{"-test.failfast", "-test.v"}, Shards: 1, Each: true,
		Env: func(int) ([]string, func(), error) { return []string{"DIES=fail"}, nil, nil },
	})
	if result.Exit != 1 || result.Processes != 2 || strings.Contains(out, "TestAfter") {
		t.Errorf("exit %d, %d processes, want 1 and those of TestBefore and TestDies\n%s", result.Exit, result.Processes, out)
	}
}

func TestLauncherRunsTheBinary(t *testing.T) {
	t.Parallel()
	result, out := mustRun(t, divide.Config{
		Binary: mustBinary(t, "dies"), Launcher: []string{"env", "DIES=exit3"}, Shards: 2,
	})
	if result.Exit != 3 || result.Processes != 2 {
		t.Errorf("exit %d after %d processes, want 3 after 2\n%s", result.Exit, result.Processes, out)
	}
}

// The time-out is that of all processes together.
func TestTimeoutIsThePackages(t *testing.T) {
	t.Parallel()
	result, out := mustRun(t, divide.Config{
		Binary: mustBinary(t, "waits"), Args: []string{"-test.timeout=450ms"}, Shards: 1, Each: true,
	})
	if result.Exit != 2 || result.Processes == 8 || !strings.Contains(out, "panic: test timed out after 450ms, before Test8") {
		t.Errorf("exit %d after %d processes, want 2 and not all\n%s", result.Exit, result.Processes, out)
	}
}

func TestHangingTestIsNamedBeforeTheTimeout(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ v, want string }{
		{"-test.v", "pgcell: TestDies (1s) still runs, and the time-out of 1s is near; for a lock\n"},
		{"-test.v=false", "pgcell: TestDies: the process still runs, and the time-out of 1s is near; for a lock\n"},
	} {
		_, out := mustRun(t, divide.Config{
			Binary: mustBinary(t, "dies"), Args: []string{"-test.timeout=1s", c.v}, Shards: 2, Each: true,
			Env:   func(int) ([]string, func(), error) { return []string{"DIES=hang"}, nil, nil },
			Waits: func(int) string { return "for a lock" },
		})
		if at := strings.Index(out, c.want); at < 0 || at > strings.Index(out, "panic: test timed out") {
			t.Errorf("%s: want %q before the panic:\n%s", c.v, c.want, out)
		}
	}
}

func TestEnvIsGivenAndTakenBack(t *testing.T) {
	t.Parallel()
	var given, taken atomic.Int32
	result, out := mustRun(t, divide.Config{
		Binary: mustBinary(t, "mixed"), Shards: 3,
		Env: func(int) ([]string, func(), error) {
			given.Add(1)
			return []string{"MIXED=fails"}, func() { taken.Add(1) }, nil
		},
	})
	if result.Exit != 1 || !strings.Contains(out, "an error") {
		t.Errorf("exit %d, want that the variable is seen\n%s", result.Exit, out)
	}
	if given.Load() != 4 || taken.Load() != 4 { // to list, and to run
		t.Errorf("given %d times, taken back %d times, want 4", given.Load(), taken.Load())
	}
}

func TestEnvsErrorEndsTheRun(t *testing.T) {
	t.Parallel()
	boom := errors.New("no database")
	var out bytes.Buffer
	result, err := divide.Run(t.Context(), divide.Config{
		Binary: mustBinary(t, "waits"), Stdout: &out, Shards: 1, Each: true,
		Env: func(process int) ([]string, func(), error) {
			if process == 3 {
				return nil, nil, boom
			}
			return nil, nil, nil
		},
	})
	if !errors.Is(err, boom) || result.Exit != 1 || result.Processes > 4 {
		t.Errorf("Run() = %+v, %v, want %v and no further process", result, err, boom)
	}
}

func TestGroupsStayTogether(t *testing.T) {
	t.Parallel()
	_, out := mustRun(t, divide.Config{
		Binary: mustBinary(t, "waits"), Args: []string{"-test.v"}, Shards: 8, Each: true,
		Groups: [][]string{{"Test7", "Test2", "Test5", "TestGone"}},
	})
	var order []string
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(line, "=== RUN   "); ok {
			order = append(order, strings.TrimSpace(name))
		}
	}
	want := []string{"Test1", "Test2", "Test5", "Test7", "Test3", "Test4", "Test6", "Test8"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// record is what is kept of a package.
type record struct {
	Tests   map[string]float64 `json:"tests"`
	Guessed map[string]bool    `json:"guessed"`
}

func mustRecord(t *testing.T, dir string) record {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%s holds %v, %v, want one file", dir, files, err)
	}
	text, err := os.ReadFile(files[0])
	var r record
	if err != nil || json.Unmarshal(text, &r) != nil {
		t.Fatalf("%s: %v: %s", files[0], err, text)
	}
	return r
}

// Tests that wait get more processes than there are cores, once their times are known.
func TestTimesAreRecorded(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "times")
	for _, args := range [][]string{{"-test.v"}, nil, {"-test.run=Test1|Test2"}} {
		result, _ := mustRun(t, divide.Config{Binary: mustBinary(t, "waits"), Args: args, Times: dir, Shards: 2})
		r := mustRecord(t, dir)
		if len(r.Tests) != 8 || len(r.Guessed) != 0 || r.Tests["Test1"] < 0.1 || result.Exit != 0 {
			t.Errorf("%q: recorded %+v, want 8 measured tests", args, r)
		}
	}
	result, _ := mustRun(t, divide.Config{Binary: mustBinary(t, "waits"), Times: dir})
	if result.Processes < 4 {
		t.Errorf("%d processes for 8 tests of 100 ms that wait, want more than cores", result.Processes)
	}
}

// Without -v nothing is said of tests that pass: what a process took is shared among its tests.
func TestTimesAreGuessed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := divide.Config{Binary: mustBinary(t, "waits"), Times: dir, Shards: 2}
	mustRun(t, c)
	if r := mustRecord(t, dir); len(r.Guessed) != 8 || r.Tests["Test1"] < 0.05 || r.Tests["Test1"] > 0.5 {
		t.Errorf("recorded %+v, want 8 guesses of about 100 ms", r)
	}
	c.Each = true
	mustRun(t, c)
	if r := mustRecord(t, dir); r.Tests["Test1"] < 0.05 || r.Tests["Test1"] > 0.5 {
		t.Errorf("recorded %+v, want about 100 ms for a test alone in a process", r)
	}
}

func TestDamagedTimesAreWrittenAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := divide.Config{Binary: mustBinary(t, "waits"), Times: dir, Shards: 4, Args: []string{"-test.v"}}
	mustRun(t, c)
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	old := filepath.Join(dir, "old.json")
	for _, file := range []string{files[0], old} {
		if err := os.WriteFile(file, []byte("{"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	year := time.Now().AddDate(-1, 0, 0)
	if err := os.Chtimes(old, year, year); err != nil {
		t.Fatal(err)
	}
	mustRun(t, c)
	if r := mustRecord(t, dir); len(r.Tests) != 8 {
		t.Errorf("recorded %+v, want 8 tests", r)
	}
}

func TestContextEndsTheProcesses(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	begin := time.Now()
	var out bytes.Buffer
	result, _ := divide.Run(ctx, divide.Config{
		Binary: mustBinary(t, "dies"), Stdout: &out, Shards: 2,
		Env: func(int) ([]string, func(), error) { return []string{"DIES=hang"}, nil, nil },
	})
	if result.Exit == 0 || time.Since(begin) > 30*time.Second {
		t.Errorf("Run() = %+v after %v, want a failure soon\n%s", result, time.Since(begin), out.String())
	}
}
