package divide_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/divide"
)

// Subtests are divided once they are known, and what is seen is what one process would show. A new subtest runs too.
func TestSuitesAreDivided(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary := mustBinary(t, "suite")
	times := t.TempDir()
	_, out := mustRun(t, divide.Config{Binary: binary, Args: []string{"-test.v"}, Shards: 2, Suites: true, Times: times})
	if n := strings.Count(out, "=== RUN   TestSuite\n"); n != 1 {
		t.Fatalf("TestSuite begins %d times, want once, for nothing is known of it yet\n%s", n, out)
	}
	for _, c := range []struct{ env, line string }{
		{"SUITE_NEW=1", ""}, {"SUITE_NEW=1", "-test.skip=Suite/TestC"}, {"SUITE_FAILS=TestB", "-test.run=Suite"},
		{"SUITE_FAILS=TestB", "-test.count=2"}, {"SUITE_FAILS=TestD/deeper", ""}, {"SUITE_FAILS=", "-test.run=Suite/TestA"},
	} {
		args := append([]string{binary, "-test.v=test2json"}, strings.Fields(c.line)...)
		undivided := mustConvert(t, []string{c.env}, args)
		for _, how := range []string{"", `"Each": true, `} {
			config := `{"Shards": 3, ` + how + `"Suites": true, "Times": "` + times + `"}`
			divided := mustConvert(t, []string{c.env, hookVariable + "=" + config}, append([]string{self}, args...))
			if diff := cmp.Diff(undivided.summary(t), divided.summary(t)); diff != "" {
				t.Errorf("%s %s, %s (-undivided +divided):\n%s\n%s", c.env, c.line, config, diff, last(divided.output))
			}
		}
	}
}

func TestSuitesInText(t *testing.T) {
	t.Parallel()
	binary, times := mustBinary(t, "suite"), filepath.Join(t.TempDir(), "times")
	c := divide.Config{Binary: binary, Args: []string{"-test.v"}, Shards: 3, Suites: true, Times: times}
	mustRun(t, c)
	result, out := mustRun(t, c)
	if result.Processes != 3 {
		t.Errorf("%d processes, want 3", result.Processes)
	}
	var results []string
	for line := range strings.Lines(out) {
		if strings.Contains(line, "--- PASS: TestSuite") {
			results = append(results, line[:strings.IndexByte(line, '(')])
		}
	}
	slices.Sort(results)
	want := []string{
		"        --- PASS: TestSuite/TestD/deeper ", "    --- PASS: TestSuite/TestA ", "    --- PASS: TestSuite/TestB ",
		"    --- PASS: TestSuite/TestC ", "    --- PASS: TestSuite/TestD/deeper ", "    --- PASS: TestSuite/Test_with_space ",
		"--- PASS: TestSuite ",
	}
	if diff := cmp.Diff(want[1:], results); diff != "" {
		t.Errorf("results of TestSuite (-want +got):\n%s\n%s", diff, out)
	}
	if at := strings.Index(out, "--- PASS: TestSuite ("); at > strings.Index(out, "    --- PASS: TestSuite/TestA") {
		t.Errorf("want the suite's result before those of its tests:\n%s", out)
	}
	if n := strings.Count(out, "the suite is set up"); n < 2 {
		t.Errorf("the suite is set up %d times, want once in each process that has a part of it", n)
	}

	// Without -v, a failure is shown in the same way.
	c.Args, c.Env = nil, func(int) ([]string, func(), error) { return []string{"SUITE_FAILS=TestB"}, nil, nil }
	result, out = mustRun(t, c)
	if result.Exit != 1 || strings.Count(out, "--- FAIL: TestSuite (") != 1 || !strings.Contains(out, "    --- FAIL: TestSuite/TestB") {
		t.Errorf("exit %d, want 1 and TestB below TestSuite\n%s", result.Exit, out)
	}
}
