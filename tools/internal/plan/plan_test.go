package plan_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/plan"
)

// times makes count tests of one length, and one of another.
func times(count int, each, longest time.Duration) map[string]time.Duration {
	all := map[string]time.Duration{"TestLongest": longest}
	for i := range count - 1 {
		all[fmt.Sprintf("Test%d", i)] = each
	}
	return all
}

func TestSuggestedShards(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, c := range map[string]struct {
		times        map[string]time.Duration
		shards, want int
	}{
		"none take long":           {times(10, s/10, s/10), 1, 1},
		"5 s each":                 {times(20, s, s), 1, 4},
		"near enough":              {times(20, s, s), 5, 5},
		"a quarter less":           {times(20, s, s), 3, 3},
		"too many":                 {times(20, s, s), 6, 4},
		"too few":                  {times(20, s, s), 2, 4},
		"the longest limits":       {times(20, s, 40*s), 8, 2},
		"no more than tests":       {times(3, 30*s, 30*s), 1, 3},
		"Bazel's cap":              {times(1000, 5*s, 5*s), 20, 50},
		"more than tests is wrong": {times(4, 20*s, 20*s), 5, 4},
		"no times":                 {nil, 3, 1},
	} {
		b := plan.Weigh("//x:x_test", c.times, c.shards, 5*s)
		if b.Suggest != c.want {
			t.Errorf("%s: Weigh suggests %d shards, has %d, want %d", name, b.Suggest, c.shards, c.want)
		}
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for want, c := range map[string]struct {
		times  map[string]time.Duration
		shards int
	}{
		"":                                       {times(20, s, s), 4},
		"TestLongest alone takes 40 s: split it": {times(50, s, 40*s), 3},
		"TestLongest alone takes 40 s: split it; shard_count = 3 would serve":            {times(50, s, 40*s), 8},
		"shard_count = 50 would serve; Bazel allows at most 50 shards: divide the suite": {times(1000, 5*s, 5*s), 1},
		"shard_count = 1 would serve": {times(2, s/100, s/100), 2},
	} {
		if got := plan.Weigh("//x:x_test", c.times, c.shards, 5*s).Limit(); got != want {
			t.Errorf("Limit of %d tests in %d shards = %q, want %q", len(c.times), c.shards, got, want)
		}
	}
}

func TestDivide(t *testing.T) {
	t.Parallel()
	unit := func(name string, seconds int) plan.Unit {
		return plan.Unit{Name: name, Time: time.Duration(seconds) * time.Second, Known: seconds > 0}
	}
	units := []plan.Unit{unit("e", 0), unit("d", 4), unit("a", 9), unit("b", 5), unit("c", 5)}
	var got []string
	for _, m := range plan.Divide(units, 3) {
		var names []string
		for _, u := range m.Units {
			names = append(names, u.Name)
		}
		got = append(got, fmt.Sprint(strings.Join(names, " "), " ", m.Time))
	}
	// e counts as the mean, 5.75 s.
	if diff := cmp.Diff([]string{"a 9s", "d e 9.75s", "b c 10s"}, got); diff != "" {
		t.Errorf("Divide (-want +got):\n%s", diff)
	}
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Of a target that has run in 2 shards and, later, in 3, the later result counts, through the link that Bazel makes.
func TestReadTakesTheNewest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	logs := filepath.Join(dir, "logs")
	xml := func(tests ...string) string {
		all := "<testsuites><testsuite>"
		for _, test := range tests {
			all += `<testcase name="` + test + `" time="1"/>`
		}
		return all + "</testsuite></testsuites>"
	}
	old := filepath.Join(logs, "x", "x_test", "shard_1_of_2", "test.xml")
	mustWrite(t, old, xml("TestOld"))
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, filepath.Join(logs, "x", "x_test", "shard_1_of_3", "test.xml"), xml("TestNew", "TestNew/sub"))
	mustWrite(t, filepath.Join(logs, "x", "x_test", "shard_2_of_3", "test.xml"), "<testsuites>")
	mustWrite(t, filepath.Join(logs, "x", "x_test", "shard_3_of_3_run_1_of_2", "test.xml"), xml("TestRun"))
	mustWrite(t, filepath.Join(logs, "root_test", "test.xml"), xml("root_test_/root_test"))
	link := filepath.Join(dir, "bazel-testlogs")
	if err := os.Symlink(logs, link); err != nil {
		t.Fatal(err)
	}
	got, err := plan.Read(link)
	if err != nil {
		t.Fatal(err)
	}
	want := []*plan.Suite{
		{Target: "root_test", Shards: 1, Passed: map[string]time.Duration{}},
		{Package: "x", Target: "x_test", Shards: 3, Missing: []int{2},
			Passed: map[string]time.Duration{"TestNew": time.Second, "TestRun": time.Second}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Read (-want +got):\n%s", diff)
	}
}

// The start of the server is no time of the test that happened to be the first to need it.
func TestReadLeavesOutTheStartOfTheServer(t *testing.T) {
	t.Parallel()
	logs := t.TempDir()
	mustWrite(t, filepath.Join(logs, "x_test", "test.xml"), `<testsuites><testsuite>`+
		`<testcase name="TestFirst" time="1"/><testcase name="TestSecond" time="1"/><testcase name="TestSub" time="1"/>`+
		`</testsuite></testsuites>`)
	mustWrite(t, filepath.Join(logs, "x_test", "test.outputs", "pgcell", "cells.jsonl"), `
{"test":"TestFirst","cell_seconds":0.8,"server_seconds":0.75}
{"test":"TestSecond","cell_seconds":0.5}
{"test":"TestSub/a","cell_seconds":0.6,"server_seconds":0.5}
{"test":"TestSub/b","cell_seconds":0.6,"server_seconds":0.5}
`)
	got, err := plan.Read(logs)
	if err != nil {
		t.Fatal(err)
	}
	const ms = time.Millisecond
	want := []*plan.Suite{{Target: "x_test", Shards: 1, Passed: map[string]time.Duration{
		"TestFirst": 250 * ms, "TestSecond": 1000 * ms, "TestSub": 500 * ms,
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Read (-want +got):\n%s", diff)
	}
}

func TestBuildFileErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := plan.OpenBuildFile(dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), dir) {
		t.Errorf("OpenBuildFile of an empty directory = %v, want fs.ErrNotExist with its path", err)
	}
	mustWrite(t, filepath.Join(dir, "BUILD"), "go_test(name = ")
	want := "read BUILD file: " + filepath.Join(dir, "BUILD") + ":2:1: syntax error"
	if _, err := plan.OpenBuildFile(dir); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("OpenBuildFile of a broken file = %v, want %s", err, want)
	}
}
