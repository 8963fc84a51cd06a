package results_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/results"
)

const logHead = "exec ${PAGER:-/usr/bin/less} \"$0\" || exit 1\nExecuting tests from //x:a\n-----\n"

func mustAppend(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func poll(l *results.Live) []string {
	var got []string
	l.Poll(func(e results.LiveEvent) {
		got = append(got, fmt.Sprintf("%s %s w%d %v", e.Test.Outcome, e.Test.Name, e.Shard.Index, e.Test.Duration))
	})
	return got
}

func ensurePoll(t *testing.T, l *results.Live, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, poll(l)); diff != "" {
		t.Errorf("events differ (-want +got):\n%s", diff)
	}
}

func TestLiveFollowsAShard(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	log := filepath.Join(root, "bazel-out", "k8-fastbuild", "testlogs", "x", "a", "shard_2_of_2", "test.log")
	live := results.NewLive(root, time.Now().Add(-time.Minute))
	live.Add(&bazel.Target{Label: "//x:a", Config: "c1", Shards: 2}, 1)
	ensurePoll(t, live)
	mustAppend(t, log, logHead+"\x16=== RUN   TestA\n    a_test.go:3: hel")
	ensurePoll(t, live, "RUNNING TestA w1 0s")
	mustAppend(t, log, "lo\n=== RUN   TestA/sub\n    a_test.go:5: no\n    --- FAIL: TestA/sub (0.10s)\n\x16--- "+
		"FAIL: TestA (0.25s)\n\x16=== NAME  \n")
	ensurePoll(t, live, "FAILED TestA w1 250ms")
	mustAppend(t, log, "=== RUN   TestB\n=== PAUSE TestB\n=== RUN   TestC\n=== PAUSE TestC\n=== CONT  TestB\n--- "+
		"SKIP: TestB (0.00s)\n")
	ensurePoll(t, live, "RUNNING TestB w1 0s", "RUNNING TestC w1 0s", "SKIPPED TestB w1 0s")

	started := live.Started()
	if len(started) != 1 || started[0].Log != log {
		t.Fatalf("Started() = %+v, want the second shard", started)
	}
	tests := started[0].Tests()
	want := []results.Test{
		{
			Name: "TestA", Outcome: results.Failed, Duration: 250 * time.Millisecond, Output: "    a_test.go:3: hello\n",
			Subtests: []results.Test{
				{Name: "TestA/sub", Outcome: results.Failed, Duration: 100 * time.Millisecond, Output: "    a_test.go:5: no\n"},
			},
		},
		{Name: "TestB", Outcome: results.Skipped},
		{Name: "TestC", Outcome: results.Running},
	}
	if diff := cmp.Diff(want, tests); diff != "" {
		t.Errorf("Tests() differ (-want +got):\n%s", diff)
	}

	var run results.Run
	stopped := run.Stop(started[0])
	if got, want := run.Counts(), (results.Counts{Failed: 1, Skipped: 1, Interrupted: 1}); got != want ||
		!stopped.Interrupted() {
		t.Errorf("after Stop counts = %+v, want %+v", got, want)
	}
	// Stopped, and finished before that: one target.
	run.Shards = append(run.Shards, &results.Shard{Label: "//x:a", Config: "c1", Total: 2})
	if all, _ := results.Targets(run.Shards); all != 1 {
		t.Errorf("%d targets, want 1: a stopped shard is of the target that it belongs to", all)
	}
	live.Done("//x:a", 1, 1)
	mustAppend(t, log, "--- PASS: TestC (0.00s)\n")
	ensurePoll(t, live)
}

func TestLivePassesOldLogsOver(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	mustAppend(t, filepath.Join(root, "bazel-out", "c", "testlogs", "x", "a", "test.log"), logHead+"=== RUN   TestA\n")
	live := results.NewLive(root, time.Now().Add(time.Minute))
	live.Add(&bazel.Target{Label: "//x:a", Shards: 1}, 1)
	ensurePoll(t, live)
	if got := live.Started(); len(got) != 0 {
		t.Errorf("Started() = %+v, want none", got)
	}
}

func TestLivePaths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		label        string
		shards, runs int
		path         string
	}{
		{"//x/y:a", 1, 1, "x/y/a/test.log"},
		{"//:a", 1, 1, "a/test.log"},
		{"@@other//x:a", 1, 1, "external/other/x/a/test.log"},
		{"//x:a", 1, 3, "x/a/run_1_of_3/test.log"},
		{"//x:a", 2, 3, "x/a/shard_1_of_2_run_1_of_3/test.log"},
	} {
		root := t.TempDir()
		mustAppend(t, filepath.Join(root, "bazel-out", "c", "testlogs", filepath.FromSlash(c.path)), "=== RUN   TestA\n")
		live := results.NewLive(root, time.Time{})
		live.Add(&bazel.Target{Label: c.label, Shards: c.shards}, c.runs)
		if got := poll(live); len(got) != 1 {
			t.Errorf("%+v: events %q, want one", c, got)
		}
		live.Close()
	}
}
