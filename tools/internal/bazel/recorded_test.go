package bazel_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/bazel"
)

// The files in testdata were written by Bazel 7.7.1 with --build_event_json_file. Only the payloads of
// events that say much about the machine (options, workspace status) were taken out, and paths and
// digests shortened.

// recorded gives the events of a file that have content.
func recorded(t *testing.T, name string) []bazel.Event {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the file is whole
	var events []bazel.Event
	err := bazel.Follow(ctx, filepath.Join("testdata", name), func(e bazel.Event) {
		e.Progress = nil
		if e != (bazel.Event{}) {
			events = append(events, e)
		}
	})
	if err != nil {
		t.Fatalf("Follow: %v", err)
	}
	return events
}

// pick gives what get finds in the events, in order.
func pick[T any](events []bazel.Event, get func(bazel.Event) *T) []T {
	var found []T
	for _, e := range events {
		if v := get(e); v != nil {
			found = append(found, *v)
		}
	}
	return found
}

// result is what a recorded TestResult has that does not depend on the machine.
type result struct {
	Shard, Attempt int
	Status         bazel.Status
	Cached         bool
}

func ensureEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s differ (-want +got):\n%s", what, diff)
	}
}

// TestRecordedMixed reads a run with --keep_going: cached and failed shards, a time-out, a shard killed
// with its wrapper, a test with two attempts, and a target that did not compile.
func TestRecordedMixed(t *testing.T) {
	t.Parallel()
	events := recorded(t, "mixed.json")
	ensureEqual(t, "started", pick(events, func(e bazel.Event) *bazel.Started { return e.Started }),
		[]bazel.Started{{Command: "test", Workspace: "/home/user/ws", ServerPID: 10977}})
	ensureEqual(t, "finished", pick(events, func(e bazel.Event) *bazel.Finished { return e.Finished }),
		[]bazel.Finished{{ExitCode: 1, Name: "BUILD_FAILURE"}})

	ensureEqual(t, "execution root", pick(events, func(e bazel.Event) *bazel.ExecRoot { return e.ExecRoot }),
		[]bazel.ExecRoot{{Path: "/home/user/.cache/bazel/_bazel_user/0123abcd/execroot/_main"}})

	shards := make(map[string]int)
	for _, target := range pick(events, func(e bazel.Event) *bazel.Target { return e.Target }) {
		if target.OK {
			shards[target.Label] = target.Shards
		} else {
			shards[target.Label] = -1
		}
	}
	ensureEqual(t, "targets", shards, map[string]int{
		"//tests/green:green_test": 3, "//tests/red:red_test": 2, "//tests/red:killall_test": 2,
		"//tests/red:timeout_test": 1, "//tests/red:exit_test": 1, "//tests/broken:broken_test": -1,
	})

	results := make(map[string][]result)
	for _, r := range pick(events, func(e bazel.Event) *bazel.TestResult { return e.Result }) {
		results[r.Label] = append(results[r.Label], result{r.Shard, r.Attempt, r.Status, r.Cached})
		if r.Duration <= 0 || r.Config == "" || r.Run != 1 {
			t.Errorf("%s: duration %v, configuration %q, run %d", r.Label, r.Duration, r.Config, r.Run)
		}
		if day := r.Start.Format(time.DateOnly); day != "2026-11-24" {
			t.Errorf("%s: started on %s", r.Label, day)
		}
		for suffix, file := range map[string]bazel.File{".log": r.Log, ".xml": r.XML} {
			path, err := file.Path()
			if err != nil || !strings.HasPrefix(path, "/home/user/.cache/bazel/") || !strings.HasSuffix(path, suffix) {
				t.Errorf("%s: path of its %s = %q, %v", r.Label, suffix, path, err)
			}
		}
	}
	ensureEqual(t, "results", results, map[string][]result{
		"//tests/green:green_test": {{1, 1, bazel.Passed, true}, {2, 1, bazel.Passed, true}, {3, 1, bazel.Passed, true}},
		"//tests/red:exit_test":    {{1, 1, bazel.Failed, false}, {1, 2, bazel.Failed, false}},
		"//tests/red:killall_test": {{1, 1, bazel.Failed, false}, {2, 1, bazel.Passed, false}},
		"//tests/red:timeout_test": {{1, 1, bazel.TimedOut, false}},
		"//tests/red:red_test":     {{2, 1, bazel.Failed, false}, {1, 1, bazel.Failed, false}},
	})

	var statuses []bazel.TestSummary
	for _, s := range pick(events, func(e bazel.Event) *bazel.TestSummary { return e.Summary }) {
		s.Config = ""
		statuses = append(statuses, s)
	}
	ensureEqual(t, "summaries", statuses, []bazel.TestSummary{
		{Label: "//tests/green:green_test", Status: bazel.Passed, Runs: 3, Cached: 3, Shards: 3},
		{Label: "//tests/red:exit_test", Status: bazel.Failed, Runs: 2},
		{Label: "//tests/red:killall_test", Status: bazel.Failed, Runs: 2, Shards: 2},
		{Label: "//tests/red:timeout_test", Status: bazel.TimedOut, Runs: 1},
		{Label: "//tests/red:red_test", Status: bazel.Failed, Runs: 2, Shards: 2},
	})
}

// TestRecordedCompileFailure reads what mixed.json says of the action that failed.
func TestRecordedCompileFailure(t *testing.T) {
	t.Parallel()
	actions := pick(recorded(t, "mixed.json"), func(e bazel.Event) *bazel.Action { return e.Action })
	if len(actions) != 1 {
		t.Fatalf("%d actions, want 1", len(actions))
	}
	action := actions[0]
	if !strings.HasPrefix(action.Message, "builder failed: error executing GoCompilePkg command") {
		t.Errorf("Message = %q", action.Message)
	}
	stderr, err := action.Stderr.Path()
	if err != nil || !strings.Contains(stderr, "/_tmp/actions/stderr-") {
		t.Errorf("path of its stderr = %q, %v", stderr, err)
	}
	action.Message, action.Stderr = "", bazel.File{}
	ensureEqual(t, "action", action,
		bazel.Action{Label: "//tests/broken:broken_test", ExitCode: 1, Mnemonic: "GoCompilePkg"})
}

// TestRecordedDiskCache reads a run after "bazel clean": every result came from the disk cache, which
// only the strategy's name tells.
func TestRecordedDiskCache(t *testing.T) {
	t.Parallel()
	results := pick(recorded(t, "diskcache.json"), func(e bazel.Event) *bazel.TestResult { return e.Result })
	if len(results) != 3 {
		t.Fatalf("%d results, want 3", len(results))
	}
	for _, r := range results {
		if !r.Cached || r.Strategy != "disk cache hit" {
			t.Errorf("shard %d: Cached = %v, Strategy = %q, want true and a disk cache hit", r.Shard, r.Cached, r.Strategy)
		}
	}
}

// TestRecordedInterrupt reads a run of 8 shards that got SIGINT after two of them.
func TestRecordedInterrupt(t *testing.T) {
	t.Parallel()
	events := recorded(t, "interrupted.json")
	ensureEqual(t, "finished", pick(events, func(e bazel.Event) *bazel.Finished { return e.Finished }),
		[]bazel.Finished{{ExitCode: 8, Name: "INTERRUPTED"}})
	if got := len(pick(events, func(e bazel.Event) *bazel.TestResult { return e.Result })); got != 2 {
		t.Errorf("%d results, want 2", got)
	}
	stopped := make(map[int]bool)
	for _, a := range pick(events, func(e bazel.Event) *bazel.Aborted { return e.Aborted }) {
		if a.Reason != bazel.ReasonInterrupted || a.Label != "//tests/slow:slow_test" {
			t.Errorf("aborted: %+v", a)
		}
		stopped[a.Shard] = true
	}
	ensureEqual(t, "stopped shards", stopped, map[int]bool{3: true, 4: true, 5: true, 6: true, 7: true, 8: true})
}

// TestRecordedPatterns reads runs whose pattern stands for nothing: the event names the pattern, and in
// one case the reason.
func TestRecordedPatterns(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bazel.Aborted{
		"nobeneath.json": {Pattern: "//docs/..."},
		"notarget.json": {
			Reason: bazel.ReasonLoading, Pattern: "//tests/odd:x",
			Description: "no such target '//tests/odd:x': target 'x' not declared in package 'tests/odd' " +
				"defined by /home/user/ws/tests/odd/BUILD.bazel",
		},
	} {
		events := recorded(t, name)
		ensureEqual(t, name, pick(events, func(e bazel.Event) *bazel.Aborted { return e.Aborted }), []bazel.Aborted{want})
		ensureEqual(t, name, pick(events, func(e bazel.Event) *bazel.Finished { return e.Finished }),
			[]bazel.Finished{{ExitCode: 1, Name: "BUILD_FAILURE"}})
	}
}

// TestRecordedAnalysisFailure reads a run of a target that depends on a missing package.
func TestRecordedAnalysisFailure(t *testing.T) {
	t.Parallel()
	aborted := pick(recorded(t, "analysis.json"), func(e bazel.Event) *bazel.Aborted { return e.Aborted })
	labels := make([]string, 0, len(aborted))
	for _, a := range aborted {
		if a.Reason != bazel.ReasonAnalysis {
			t.Errorf("aborted: %+v, want the reason %s", a, bazel.ReasonAnalysis)
		}
		labels = append(labels, a.Label)
	}
	ensureEqual(t, "labels", labels, []string{"", "//tests/analysis:a_test"})
}

// TestRecordedMessages finds the only place where Bazel 7 tells why a single pattern stands for nothing.
func TestRecordedMessages(t *testing.T) {
	t.Parallel()
	var messages strings.Builder
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the file is whole
	err := bazel.Follow(ctx, filepath.Join("testdata", "nobeneath.json"), func(e bazel.Event) {
		if e.Progress != nil {
			messages.WriteString(e.Progress.Stderr)
		}
	})
	if err != nil {
		t.Fatalf("Follow: %v", err)
	}
	if want := "\nERROR: no targets found beneath 'docs'\n"; !strings.Contains(messages.String(), want) {
		t.Errorf("messages = %q, want them to contain %q", messages.String(), want)
	}
}
