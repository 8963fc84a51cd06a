package summary_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/results"
	"github.com/pgcell/pgcell/tools/internal/summary"
)

// shard makes the only shard of a target with one test.
func shard(label string, o results.Outcome, took time.Duration) *results.Shard {
	return &results.Shard{Label: label, Run: 1, Total: 1, Tests: []results.Test{{Name: "TestA", Outcome: o, Duration: took}}}
}

func call(shards ...*results.Shard) summary.Call {
	return summary.Call{Run: &results.Run{Shards: shards}}
}

func TestNew(t *testing.T) {
	t.Parallel()
	cached := shard("//c:c", results.Skipped, 0)
	cached.Cached = true
	named := call(shard("//n:n", results.Passed, 0))
	named.Filter = "^TestA$"
	past := summary.Past{Known: mustTimes(t, "//n:n", "//o:o", "//f:f"), Failed: []history.TestID{{Label: "//f:f"}}}
	calls := []summary.Call{
		call(shard("//o:o", results.Passed, 0), shard("//f:f", results.Failed, 0), cached), named,
		call(shard("//new:new", results.Passed, 0)),
	}
	got := summary.New(calls, past, "")
	if want := "3 passed, 1 failed, 1 skipped"; got.Verdict() != want {
		t.Errorf("Verdict() = %s, want %s", got.Verdict(), want)
	}
	if got.Targets != 5 || got.Cached != 1 {
		t.Errorf("%d of %d targets cached, want 1 of 5", got.Cached, got.Targets)
	}
	want := []summary.Reason{
		{Why: "failed last time", Labels: []string{"//f:f"}}, {Why: "changed", Labels: []string{"//o:o"}},
		{Why: "chosen by name", Labels: []string{"//n:n"}}, {Why: "new here", Labels: []string{"//new:new"}},
	}
	if diff := cmp.Diff(want, got.Reasons); diff != "" {
		t.Errorf("reasons differ (-want +got):\n%s", diff)
	}
	forced := summary.New(calls, past, "--stress")
	want = []summary.Reason{{Why: "--stress", Labels: []string{"//f:f", "//n:n", "//new:new", "//o:o"}}}
	if diff := cmp.Diff(want, forced.Reasons); diff != "" {
		t.Errorf("reasons with --stress differ (-want +got):\n%s", diff)
	}
}

// mustTimes gives a history that knows labels.
func mustTimes(t *testing.T, labels ...string) *history.Times {
	t.Helper()
	store := history.At(t.TempDir())
	run := &history.Run{}
	for _, label := range labels {
		run.Shards = append(run.Shards, history.Shard{Label: label, Shards: 1, Run: 1, Attempt: 1, Status: "PASSED", Seconds: 1})
	}
	if err := store.Save(run); err != nil {
		t.Fatal(err)
	}
	times, err := store.Times()
	if err != nil {
		t.Fatal(err)
	}
	return times
}

// A test is flaky if it passed and failed, in several runs or in several attempts; not if it failed each time.
func TestFlaky(t *testing.T) {
	t.Parallel()
	second := shard("//a:a", results.Failed, 0)
	second.Run = 2
	retried := shard("//b:b", results.Passed, 0)
	retried.Earlier = []*results.Shard{shard("//b:b", results.Failed, 0), {Died: "died of signal 9"}}
	red := shard("//d:d", results.Failed, 0)
	red.Earlier = []*results.Shard{shard("//d:d", results.Failed, 0), shard("//d:d", results.Failed, 0)}
	sum := summary.New([]summary.Call{call(shard("//a:a", results.Passed, 0), second, retried, red,
		shard("//c:c", results.Failed, 0))}, summary.Past{Known: &history.Times{}}, "")
	var got []string
	for _, f := range sum.Flaky {
		got = append(got, f.String())
	}
	want := []string{"//a:a::TestA failed 1 of 2 times", "//b:b::TestA failed 2 of 3 times"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flaky tests differ (-want +got):\n%s", diff)
	}
}

func TestSlowest(t *testing.T) {
	t.Parallel()
	sum := summary.New([]summary.Call{call(shard("//b:b", results.Passed, 2), shard("//a:a", results.Passed, 2),
		shard("//c:c", results.Passed, 1), shard("//d:d", results.Passed, 3))}, summary.Past{Known: &history.Times{}}, "")
	for n, want := range map[int]string{0: "d a b ", 1: "d ", 2: "d a "} {
		got := ""
		for _, slow := range sum.Slowest(n, 2) {
			got += slow.Shard.Label[2:3] + " "
		}
		if got != want {
			t.Errorf("Slowest(%d) = %s, want %s", n, got, want)
		}
	}
}
