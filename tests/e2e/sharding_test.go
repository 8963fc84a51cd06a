package e2e_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/nested"
)

var ranTest = regexp.MustCompile(`(?m)^\x16?=== RUN +(\S+)$`)

// ran gives the top-level tests of each shard of a test, in their order; a shard that Bazel ran twice has them twice.
func ran(r nested.Result, label string) [][]string {
	var shards [][]string
	for _, s := range r.Shards {
		if s.Label != label {
			continue
		}
		for len(shards) < s.Number {
			shards = append(shards, nil)
		}
		for _, m := range ranTest.FindAllStringSubmatch(beforeChild(s.Log), -1) {
			if !strings.Contains(m[1], "/") {
				shards[s.Number-1] = append(shards[s.Number-1], m[1])
			}
		}
	}
	return shards
}

// beforeChild cuts off what the child of TestWorker printed.
func beforeChild(log string) string {
	before, child, _ := strings.Cut(log, "CHILD\n")
	_, after, _ := strings.Cut(child, "PASS\n")
	return before + after
}

const planLabel = "//plan:plan_test"

var planTests = []string{"Example_greet", "FuzzSeeds", "TestCell", "TestFirstAttempt", "TestLong", "TestSubtests",
	"TestWorker", "TestZ1", "TestZ2", "TestZ3", "TestZ4", "TestZ5"}

// ensureOnce asserts that each test ran as often as it should, all shards together.
func ensureOnce(t *testing.T, r nested.Result, want []string, times int) {
	t.Helper()
	counts := map[string]int{}
	for _, shard := range ran(r, planLabel) {
		for _, name := range shard {
			counts[name]++
		}
	}
	for _, name := range want {
		if counts[name] != times {
			t.Errorf("%s ran %d times, want %d", name, counts[name], times)
		}
		delete(counts, name)
	}
	if len(counts) > 0 {
		t.Errorf("more tests ran: %v", counts)
	}
	if t.Failed() {
		t.Fatalf("shards: %q\n%s\n%s", ran(r, planLabel), r.Output, r.Logs(planLabel))
	}
}

// TestShardPlan runs a suite that has everything in 4 shards, in all ways in which Bazel runs shards.
func TestShardPlan(t *testing.T) {
	dir := nested.Workspace(t, "sharding")
	test := func(t *testing.T, args ...string) nested.Result {
		t.Helper()
		return bazel(t, dir, "test", append(args, planLabel)...)
	}
	t.Run("all", func(t *testing.T) {
		r := test(t)
		r.EnsureSuccess(t)
		ensureOnce(t, r, planTests, 1)
		if first := ran(r, planLabel)[0]; !slices.Equal(first, []string{"TestLong"}) {
			t.Errorf("the first shard ran %v, want TestLong alone, which takes as long as the others together", first)
		}
		for shard := range 4 {
			if want := fmt.Sprintf("TESTMAIN of w%d\n", shard); !strings.Contains(r.Logs(planLabel), want) {
				t.Errorf("logs lack %q:\n%s", want, r.Logs(planLabel))
			}
		}
		ensureChild(t, r)
	})
	t.Run("filter", func(t *testing.T) {
		r := test(t, "--test_filter=^TestSubtests$/^y$")
		r.EnsureSuccess(t)
		ensureOnce(t, r, []string{"TestSubtests"}, 1)
		logs := r.Logs(planLabel)
		if strings.Contains(logs, "TestSubtests/x") || !strings.Contains(logs, "TestSubtests/y") {
			t.Errorf("want the subtest y alone:\n%s", logs)
		}
		// Three shards have nothing to do: no TestMain, no server.
		if n := strings.Count(logs, "TESTMAIN"); n != 1 {
			t.Errorf("TestMain ran in %d shards, want 1:\n%s", n, logs)
		}
	})
	t.Run("runs per test", func(t *testing.T) {
		r := test(t, "--runs_per_test=2")
		r.EnsureSuccess(t)
		ensureOnce(t, r, planTests, 2)
	})
	t.Run("flaky", func(t *testing.T) {
		mark := filepath.Join(t.TempDir(), "mark")
		r := test(t, "--flaky_test_attempts=2", "--spawn_strategy=local", "--test_env=FLAKY="+mark)
		r.EnsureSuccess(t)
		if !strings.Contains(r.Output, "FLAKY") {
			t.Errorf("no test was flaky:\n%s", r.Output)
		}
	})
	t.Run("fail fast", func(t *testing.T) {
		r := test(t, "--test_runner_fail_fast", "--test_env=FAIL=1", "--test_filter=TestZ")
		if n := strings.Count(r.Logs(planLabel), "red on demand"); r.Code != 3 || n != 4 {
			t.Errorf("exit code %d, want 3; %d tests failed, want 4, since the fifth is behind one of them:\n%s",
				r.Code, n, r.Logs(planLabel))
		}
	})
}

// ensureChild asserts what the child of TestWorker ran, in the shard that TestWorker is in.
func ensureChild(t *testing.T, r nested.Result) {
	t.Helper()
	_, child, _ := strings.Cut(r.Logs(planLabel), "CHILD\n")
	child, _, _ = strings.Cut(child, "PASS\n")
	worker := regexp.MustCompile(`^TESTMAIN of w[1-3]\n`)
	if !worker.MatchString(child) || !strings.Contains(child, "=== RUN   TestLong\n") {
		t.Errorf("the child of TestWorker printed %q, want a worker from w1 to w3 and TestLong", child)
	}
}

// TestSerialBesideShards has one test that runs alone, in the same run as parallel shards.
func TestSerialBesideShards(t *testing.T) {
	r := bazel(t, nested.Workspace(t, "sharding"), "test", "--nocache_test_results", "//mixed:mixed_test")
	r.EnsureSuccess(t)
	type span struct {
		name     string
		from, to int64
	}
	var all []span
	for line := range strings.Lines(r.Logs("//mixed:mixed_test")) {
		var s span
		if n, _ := fmt.Sscanf(line, "SPAN %s %d %d", &s.name, &s.from, &s.to); n == 3 {
			all = append(all, s)
		}
	}
	if len(all) != 5 {
		t.Fatalf("%d tests told of their time, want 5:\n%s", len(all), r.Logs("//mixed:mixed_test"))
	}
	beside := 0
	for i, a := range all {
		for _, b := range all[i+1:] {
			if a.from >= b.to || b.from >= a.to {
				continue
			}
			beside++
			if a.name == "TestAlone" || b.name == "TestAlone" {
				t.Errorf("%v ran beside %v", a, b)
			}
		}
	}
	if beside == 0 {
		t.Errorf("no tests ran beside each other: %v", all)
	}
}

// TestGazelleFindsTheTemplate makes a test package anew: map_kind leads to the repository's macro, which knows the
// template and the number of shards.
func TestGazelleFindsTheTemplate(t *testing.T) {
	dir := cloneOf(t, "sharding")
	text := nested.MustRead(t, filepath.Join(dir, "mixed", "mixed_test.go"))
	nested.MustWrite(t, filepath.Join(dir, "orders", "orders_test.go"), text)
	plan := nested.MustRead(t, filepath.Join(dir, "plan", "BUILD.bazel"))
	bazel(t, dir, "run", "//:gazelle").EnsureSuccess(t)
	const made = `load("//db:defs.bzl", "db_test")

db_test(
    name = "orders_test",
    srcs = ["orders_test.go"],
    deps = ["@pgcell//tools/pgcell"],
)
`
	if got := nested.MustRead(t, filepath.Join(dir, "orders", "BUILD.bazel")); got != made {
		t.Errorf("Gazelle made\n%s\nwant\n%s", got, made)
	}
	if got := nested.MustRead(t, filepath.Join(dir, "plan", "BUILD.bazel")); got != plan {
		t.Errorf("Gazelle changed\n%s\nto\n%s", plan, got)
	}
	r := bazel(t, dir, "test", "--test_filter=TestBeside1", "//orders:orders_test")
	r.EnsureSuccess(t)
	if len(r.Shards) != 2 {
		t.Errorf("%d shards, want 2", len(r.Shards))
	}
}
