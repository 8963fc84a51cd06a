package results_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/results"
)

const (
	oneGreen = `<testsuites><testsuite><testcase name="TestA"/><testcase name="TestA/sub"/></testsuite></testsuites>`
	oneRed   = `<testsuites><testsuite><testcase name="TestA"><failure>no</failure></testcase></testsuite></testsuites>`
	bazels   = `<testsuites><testsuite>
		<testcase name="x/y_test_/y_test_shard_1/2"><error message="exited with error code 137"/></testcase></testsuite></testsuites>`
)

// mustFile writes content into a file and gives it as an event names it.
func mustFile(t *testing.T, name, content string) bazel.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return bazel.File{Name: name, URI: "file://" + path}
}

func TestShardThatDied(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		result bazel.TestResult
		xml    string // none when empty
		died   string
	}{
		{"signal", bazel.TestResult{Status: bazel.Failed, ExitCode: 137}, "", "died of signal 9"},
		{"exit", bazel.TestResult{Status: bazel.Failed, ExitCode: 3}, bazels, "failed with exit code 3"},
		{"time-out", bazel.TestResult{Status: bazel.TimedOut, Duration: 2500 * time.Millisecond}, "", "timed out after 2.5s"},
		{"remote", bazel.TestResult{Status: bazel.RemoteFailure}, "", "could not be run remotely"},
		{"silent", bazel.TestResult{Status: bazel.Failed}, "", "its process failed"},
		{"silent, with Bazel's XML", bazel.TestResult{Status: bazel.Failed}, bazels, "died of signal 9"},
		{"green tests", bazel.TestResult{Status: bazel.Failed, ExitCode: 1}, oneGreen,
			"failed with exit code 1, though none of its tests did"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			result := test.result
			result.Label, result.Run, result.Shard, result.Attempt = "//x:y_test", 1, 1, 1
			if test.xml != "" {
				result.XML = mustFile(t, "test.xml", test.xml)
			}
			var run results.Run
			shard := run.Add(bazel.Event{Result: &result})
			if shard.Died != test.died {
				t.Errorf("Died = %q, want %q", shard.Died, test.died)
			}
			if got := run.Counts().Failed; got != 1 {
				t.Errorf("failed = %d, want 1", got)
			}
		})
	}
}

// TestPassedWithoutXML counts by the log and, where that tells nothing either, nothing.
func TestPassedWithoutXML(t *testing.T) {
	t.Parallel()
	var run results.Run
	logged := run.Add(bazel.Event{Result: &bazel.TestResult{Label: "//x:a", Run: 1, Shard: 1, Status: bazel.Passed,
		Log: mustFile(t, "test.log", "--- PASS: TestA (0.00s)\n--- SKIP: TestB (0.00s)\nPASS\n")}})
	if logged.Note != "" {
		t.Errorf("Note = %q, want none", logged.Note)
	}
	lost := run.Add(bazel.Event{Result: &bazel.TestResult{Label: "//x:b", Run: 1, Shard: 1, Status: bazel.Passed,
		Log: mustFile(t, "test.log", "hello\n")}})
	if want := "not counted: locate test.xml: no file was reported"; lost.Note != want {
		t.Errorf("Note = %q, want %q", lost.Note, want)
	}
	if got, want := run.Counts(), (results.Counts{Passed: 1, Skipped: 1}); got != want {
		t.Errorf("Counts() = %+v, want %+v", got, want)
	}
}

func TestFailedTestsAreTheShardsFailure(t *testing.T) {
	t.Parallel()
	var run results.Run
	shard := run.Add(bazel.Event{Result: &bazel.TestResult{
		Label: "//x:y_test", Run: 1, Shard: 1, Status: bazel.Failed, ExitCode: 1, XML: mustFile(t, "test.xml", oneRed),
	}})
	if shard.Died != "" {
		t.Errorf("Died = %q, want none: a test is to blame", shard.Died)
	}
	if got, want := run.Counts(), (results.Counts{Failed: 1}); got != want {
		t.Errorf("Counts() = %+v, want %+v", got, want)
	}
}

func TestLastAttemptCounts(t *testing.T) {
	t.Parallel()
	red, green := mustFile(t, "test.xml", oneRed), mustFile(t, "test.xml", oneGreen)
	for _, order := range [][]int{{1, 2}, {2, 1}} {
		var run results.Run
		for _, attempt := range order {
			result := bazel.TestResult{Label: "//x:y_test", Run: 1, Shard: 1, Attempt: attempt, Status: bazel.Failed, XML: red}
			if attempt == 2 {
				result.Status, result.XML = bazel.Passed, green
			}
			run.Add(bazel.Event{Result: &result})
		}
		if got, want := run.Counts(), (results.Counts{Passed: 1}); got != want {
			t.Errorf("attempts in the order %v: Counts() = %+v, want %+v", order, got, want)
		}
	}
}

func TestTargetsAndCache(t *testing.T) {
	t.Parallel()
	green := mustFile(t, "test.xml", oneGreen)
	var run results.Run
	for _, r := range []bazel.TestResult{
		{Label: "//x:a", Shard: 1, Cached: true},
		{Label: "//x:a", Shard: 2, Cached: true},
		{Label: "//x:b", Shard: 1, Cached: true},
		{Label: "//x:b", Shard: 2},
		{Label: "//x:a", Shard: 1, Config: "other"},
	} {
		r.Run, r.Attempt, r.Status, r.XML = 1, 1, bazel.Passed, green
		run.Add(bazel.Event{Result: &r})
	}
	all, cached := results.Targets(run.Shards)
	if all != 3 || cached != 1 {
		t.Errorf("Targets() = %d, %d, want 3, 1: a target is cached if all its shards are", all, cached)
	}
	if got := run.Counts().Passed; got != 5 {
		t.Errorf("passed = %d, want 5", got)
	}
}

func TestWorkerNames(t *testing.T) {
	t.Parallel()
	var run results.Run
	run.Add(bazel.Event{Target: &bazel.Target{Label: "//x:a", OK: true, Shards: 4}})
	sharded := run.Add(bazel.Event{Result: &bazel.TestResult{Label: "//x:a", Run: 1, Shard: 3, Status: bazel.Passed}})
	alone := run.Add(bazel.Event{Result: &bazel.TestResult{Label: "//x:b", Run: 1, Shard: 1, Status: bazel.Passed}})
	again := run.Add(bazel.Event{Result: &bazel.TestResult{Label: "//x:b", Run: 2, Shard: 1, Status: bazel.Passed}})
	got := []string{sharded.Worker(), sharded.String(), alone.Worker(), alone.String(), again.String()}
	want := []string{"w2", "//x:a shard 3/4", "master", "//x:b", "//x:b run 2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names differ (-want +got):\n%s", diff)
	}
}

func TestInterruptedShardHasNoResult(t *testing.T) {
	t.Parallel()
	var run results.Run
	shard := run.Add(bazel.Event{Result: &bazel.TestResult{Label: "//x:a", Run: 1, Shard: 1, Status: bazel.Incomplete}})
	if !shard.Interrupted() || run.Counts().Total() != 0 {
		t.Errorf("Interrupted() = %v, counts %+v, want true and no test", shard.Interrupted(), run.Counts())
	}
}

func TestInterruptedShardsAreCounted(t *testing.T) {
	t.Parallel()
	var run results.Run
	run.Add(bazel.Event{Aborted: &bazel.Aborted{Label: "//x:a", Shard: 3, Reason: bazel.ReasonInterrupted}})
	run.Add(bazel.Event{Aborted: &bazel.Aborted{Label: "//x:a", Shard: 1, Reason: bazel.ReasonInterrupted}})
	run.Add(bazel.Event{Aborted: &bazel.Aborted{Label: "//x:a", Reason: bazel.ReasonInterrupted}}) // its summary
	if got := run.Interrupted(); got != 2 {
		t.Errorf("Interrupted() = %d, want 2", got)
	}
}

func TestUnbuiltTargetsAreNamedOnce(t *testing.T) {
	t.Parallel()
	var run results.Run
	run.Add(bazel.Event{Target: &bazel.Target{Label: "//x:a"}})
	run.Add(bazel.Event{Summary: &bazel.TestSummary{Label: "//x:a", Status: bazel.FailedToBuild}})
	run.Add(bazel.Event{Aborted: &bazel.Aborted{Label: "//x:b", Reason: bazel.ReasonAnalysis}})
	run.Add(bazel.Event{Aborted: &bazel.Aborted{Label: "//x:c", Reason: bazel.ReasonInterrupted}})
	run.Add(bazel.Event{Action: &bazel.Action{Label: "//x:a"}})
	if want := []string{"//x:a", "//x:b"}; !slices.Equal(run.Unbuilt, want) {
		t.Errorf("Unbuilt = %q, want %q", run.Unbuilt, want)
	}
	if len(run.Broken) != 1 {
		t.Errorf("%d failed actions, want 1", len(run.Broken))
	}
}

func TestErrorsAreGathered(t *testing.T) {
	t.Parallel()
	var run results.Run
	run.Add(bazel.Event{Progress: &bazel.Progress{Stderr: "INFO: a\nERROR: b\n c\nERROR: d\n"}})
	run.Add(bazel.Event{Progress: &bazel.Progress{Stderr: "ERROR: e"}})
	if want := []string{"b", "d", "e"}; !slices.Equal(run.Errors, want) {
		t.Errorf("Errors = %q, want %q", run.Errors, want)
	}
}

func TestHas(t *testing.T) {
	t.Parallel()
	var run results.Run
	run.Add(bazel.Event{Result: &bazel.TestResult{
		Label: "//x:a", Run: 1, Shard: 1, Status: bazel.Passed, XML: mustFile(t, "test.xml", oneGreen),
	}})
	for name, want := range map[string]bool{"TestA": true, "TestA/sub": true, "Test": false, "testa": false} {
		if got := run.Has(name); got != want {
			t.Errorf("Has(%q) = %v, want %v", name, got, want)
		}
	}
}

// A failed subtest's place goes before its test's; one that passed has none.
func TestWhere(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	mustWrite(t, filepath.Join(root, "x", "y", "b_test.go"), "")
	test := results.Test{
		Output: "    a_test.go:3: after\n",
		Subtests: []results.Test{
			{Name: "TestA/ok", Output: "    b_test.go:1: fine\n"},
			{Name: "TestA/bad", Outcome: results.Failed, Output: "    b_test.go:2: no\n"},
		},
	}
	for label, want := range map[string]string{"//x/y:z": "x/y/b_test.go:2", "@@other//x/y:z": "b_test.go:2"} {
		shard := results.Shard{Label: label}
		if got := shard.Where(&test, root).String(); got != want {
			t.Errorf("Where of %s = %q, want %q", label, got, want)
		}
	}
}
