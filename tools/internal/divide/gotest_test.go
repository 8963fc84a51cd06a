package divide_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// call is a "go test" of one of the packages in testdata/suites.
type call struct {
	config string   // of the hook, as JSON; empty for none
	env    []string // in addition
	args   []string
}

// answer is what a call gave.
type answer struct {
	exit   int
	output string
}

// mustGo runs "go test".
func mustGo(t *testing.T, c call) answer {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command")
	}
	args := append([]string{"test"}, c.args...)
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = suites(t)
	cmd.Env = append(os.Environ(), c.env...)
	if c.config != "" {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Args = slices.Concat([]string{"go", "test", "-exec", self}, c.args)
		cmd.Env = append(cmd.Env, hookVariable+"="+c.config)
	} else {
		cmd.Args = slices.Concat([]string{"go", "test", "-count=1"}, c.args)
	}
	output, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || bytes.Contains(output, []byte("[build failed]")) {
		t.Fatalf("go test: %v\n%s", err, output)
	}
	return answer{cmd.ProcessState.ExitCode(), string(output)}
}

// event is a line of "go test -json".
type event struct{ Action, Package, Test, Output string }

// summary gives what a reader of JSON learns: how often each test had which result, those of packages, and coverage.
func (a answer) summary(t *testing.T) map[string]int {
	t.Helper()
	all := map[string]int{"exit " + fmt.Sprint(a.exit): 1}
	for line := range strings.Lines(a.output) {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("not JSON: %q\n%s", line, a.output)
		}
		switch {
		case e.Action == "output" && e.Test == "" && strings.HasPrefix(e.Output, "coverage: "),
			e.Action == "output" && e.Test == "" && slices.Contains([]string{"PASS\n", "FAIL\n"}, e.Output),
			e.Action == "output" && strings.HasPrefix(e.Output, "testing: "):
			all[e.Output]++
		case e.Action == "output" && regexp.MustCompile(`^(ok  |FAIL)\t`).MatchString(e.Output):
			all[regexp.MustCompile(`[0-9.]+s\b`).ReplaceAllString(e.Output, "")]++
		case e.Action != "output" && e.Action != "pause" && e.Action != "cont":
			all[e.Action+" "+e.Package+" "+e.Test]++
		}
	}
	return all
}

var dividing = []string{`{"Shards": 3}`, `{"Shards": 3, "Each": true}`}

// ensureSame runs a call without and with the hook, and compares.
func ensureSame(t *testing.T, env []string, args ...string) {
	t.Helper()
	args = append([]string{"-json"}, args...)
	undivided := mustGo(t, call{env: env, args: args})
	for _, config := range dividing {
		divided := mustGo(t, call{config: config, env: env, args: args})
		if diff := cmp.Diff(undivided.summary(t), divided.summary(t)); diff != "" {
			t.Errorf("go test %s, %s (-undivided +divided):\n%s\n%s",
				strings.Join(args, " "), config, diff, last(divided.output))
		}
	}
}

// mustConvert runs a test binary, or the hook in place of it, and gives what test2json makes of it, as go test does.
func mustConvert(t *testing.T, env, args []string) answer {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	output, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	convert := exec.CommandContext(t.Context(), "go", "tool", "test2json")
	convert.Stdin = bytes.NewReader(output)
	events, err := convert.Output()
	if err != nil {
		t.Fatal(err)
	}
	return answer{cmd.ProcessState.ExitCode(), string(events)}
}

func last(text string) string { return text[max(0, len(text)-3000):] }

func TestSameAsUndivided(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  []string
		args []string
	}{
		"all":           {[]string{"MIXED=fails"}, []string{"./mixed"}},
		"several":       {nil, []string{"-cover", "-p", "2", "./mixed", "./covered", "./one"}},
		"wrong pattern": {nil, []string{"-run", "[", "./mixed"}},
		"coverpkg":      {nil, []string{"-covermode", "atomic", "-coverpkg", "./...", "./covered", "./bare"}},
		"cover failing": {[]string{"DIES=fail"}, []string{"-cover", "./dies"}},
		"panic":         {[]string{"DIES=panic"}, []string{"-run", "Dies|Before", "./dies"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ensureSame(t, c.env, c.args...)
		})
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary := mustBinary(t, "mixed")
	for _, line := range []string{
		"", "-test.run=Sub/t|Fuzz|hello", "-test.run Sub/t -test.skip=Sub/two", "-test.skip=Sub/t|Prints",
		"-test.run=Nothing", "-test.run=TestPasses/x|TestSubtests/nothing", "-test.count=3", "-test.cpu=1,2",
		"-test.shuffle=7", "-test.bench=. -test.run=Passes|Skips", "-test.parallel=1 -test.short", "-test.list=Sub",
		"-test.parallel=0", "-test.unknown", "-test.timeout=x", "-test.run=Pas|Sk -- -test.run=Nothing",
	} {
		args := append([]string{binary, "-test.v=test2json", "-test.paniconexit0"}, strings.Fields(line)...)
		undivided := mustConvert(t, nil, args)
		for _, config := range dividing {
			divided := mustConvert(t, []string{hookVariable + "=" + config}, append([]string{self}, args...))
			if diff := cmp.Diff(undivided.summary(t), divided.summary(t)); diff != "" {
				t.Errorf("%s, %s (-undivided +divided):\n%s\n%s", line, config, diff, last(divided.output))
			}
		}
	}
}

// A profile counts what undivided tests count, block by block.
func TestSameProfile(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"set", "count", "atomic"} {
		var profiles []string
		for _, config := range append([]string{""}, dividing...) {
			file := filepath.Join(t.TempDir(), "profile")
			a := mustGo(t, call{config: config, args: []string{
				"-covermode", mode, "-coverprofile", file, "-coverpkg", "./covered,./calls,./bare", "./covered",
			}})
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v\n%s", err, a.output)
			}
			profiles = append(profiles, string(text))
		}
		for _, divided := range profiles[1:] {
			if diff := cmp.Diff(profiles[0], divided); diff != "" {
				t.Errorf("%s: profile (-undivided +divided):\n%s", mode, diff)
			}
		}
	}
}

// A signal to the hook reaches the tests, and go test says what it says without a hook.
func TestSignalsReachTheTests(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGKILL} {
		hook := mustHook(t, "dies", `{"Shards": 2}`, "DIES=hang")
		children := waitForChildren(t, hook.Process.Pid)
		if err := hook.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		_ = hook.Wait()
		status := hook.ProcessState.Sys().(syscall.WaitStatus)
		if !status.Signaled() || status.Signal() != sig {
			t.Errorf("%v: the hook ended with %v, want that signal", sig, hook.ProcessState)
		}
		for _, pid := range children {
			ensureGone(t, pid)
		}
	}
}

// mustHook starts the hook as go test does.
func mustHook(t *testing.T, pkg, config string, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, mustBinary(t, pkg), "-test.run=Dies|Last")
	cmd.Env = slices.Concat(os.Environ(), []string{hookVariable + "=" + config}, env)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd
}

// waitForChildren waits until a process has the child that hangs, and gives all that it has.
func waitForChildren(t *testing.T, pid int) []string {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		var children []string
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
		for _, file := range files {
			text, _ := os.ReadFile(file)
			children = append(children, strings.Fields(string(text))...)
		}
		for _, child := range children {
			if text, _ := os.ReadFile("/proc/" + child + "/cmdline"); strings.Contains(string(text), "-test.run=^(TestDies)$") {
				return children
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the hook has the children %v, want one with TestDies", children)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func ensureGone(t *testing.T, pid string) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %s is still there: %s", pid, stat)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
