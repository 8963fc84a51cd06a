package e2e_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/nested"
)

// versions is the workspace smoke, whose suite asks for two versions of PostgreSQL.
func versions(t *testing.T) string {
	t.Helper()
	dir := cloneOf(t, "smoke")
	file := filepath.Join(dir, "BUILD.bazel")
	nested.MustWrite(t, file, strings.Replace(nested.MustRead(t, file), "    shard_count = 2,\n",
		"    postgres = [\n        \"15\",\n        \"18\",\n    ],\n    shard_count = 2,\n", 1))
	return dir
}

// pg_go_test(postgres = ["15", "18"]) runs the suite on both, with results of their own.
func TestVersionsOfASuite(t *testing.T) {
	dir := versions(t)
	bazel(t, dir, "test", "//...").EnsureSuccess(t)
	r := bazel(t, dir, "test", "//:smoke_test")
	r.EnsureOutput(t, 0, "Executed 0 out of 2 tests: 2 tests pass.")
	ensureAllCached(t, r)
	for _, version := range []string{"15", "18"} {
		ensureCells(t, r, "//:smoke_test_"+version, 2, 4)
		if log := r.Logs("//:smoke_test_" + version); !strings.Contains(log, "PostgreSQL "+version+".") {
			t.Errorf("the log of version %s does not name it:\n%s", version, log)
		}
	}

	// What is the same for all is compiled once: the test and the program that builds templates.
	for _, target := range []string{"@pgcell//tools/rules/golden:golden", "//:_smoke_test_go"} {
		r := bazel(t, dir, "cquery", "--ui_event_filters=-info", "--noshow_progress",
			"filter('"+regexp.QuoteMeta(strings.TrimPrefix(target, "@pgcell"))+"$', deps(//:smoke_test))")
		if got := strings.Count(r.Output, ":golden") + strings.Count(r.Output, ":_smoke_test_go"); r.Code != 0 || got != 1 {
			t.Errorf("%s is built in %d configurations, want 1:\n%s", target, got, r.Output)
		}
	}

	output := runIn(t, dir, "--durations=0", "--durations-min=0")
	ensureLine(t, output, `smoke_test_15.*TestSendMovesMoney|TestSendMovesMoney.*smoke_test_15`,
		`smoke_test_18.*TestSendMovesMoney|TestSendMovesMoney.*smoke_test_18`, `^8 passed, 0 failed, 0 skipped$`)
	output = runIn(t, dir, "//:smoke_test_18")
	ensureLine(t, output, `^4 passed, 0 failed, 0 skipped$`)
}

// Gazelle writes the deps of such a suite as of any other.
func TestGazelleKeepsVersions(t *testing.T) {
	dir := versions(t)
	file := filepath.Join(dir, "BUILD.bazel")
	want := nested.MustRead(t, file)
	deps := regexp.MustCompile(`(?s)    deps = \[.*?\],\n`)
	nested.MustWrite(t, file, deps.ReplaceAllString(want, ""))
	bazel(t, dir, "run", "//:gazelle").EnsureSuccess(t)
	if got := nested.MustRead(t, file); got != want {
		t.Errorf("Gazelle wrote\n%s\nwant\n%s", got, want)
	}
}

// --postgres 15,18 runs the tests with both, and finds the results of both again.
func TestCommandRunsVersions(t *testing.T) {
	dir := cloneOf(t, "smoke")
	output := runIn(t, dir, "--postgres", "15,18")
	ensureLine(t, output, `^PASSED //:smoke_test \(PostgreSQL 15\)`, `^PASSED //:smoke_test \(PostgreSQL 18\)`,
		`^8 passed, 0 failed, 0 skipped$`)
	ensureLine(t, runIn(t, dir, "--postgres", "15,18"), `^2 of 2 targets cached, `, `^8 passed, 0 failed, 0 skipped$`)
	ensureLine(t, runIn(t, dir, "-s", "--postgres", "18"), `PostgreSQL 18\.`, `^4 passed, 0 failed, 0 skipped$`)

	file := filepath.Join(dir, "smoke_test.go")
	nested.MustWrite(t, file, nested.MustRead(t, file)+`
func TestOnlyIn15(t *testing.T) {
	var version int
	row := open(t).QueryRow(context.Background(), "SELECT current_setting('server_version_num')::int / 10000")
	if err := row.Scan(&version); err != nil || version != 15 {
		t.Errorf("version %d, %v", version, err)
	}
}
`)
	text, err := pgcellIn(t, dir, "run", "--postgres", "18,15").CombinedOutput()
	if err == nil {
		t.Errorf("pgcell run passed, want a failure with PostgreSQL 18:\n%s", text)
	}
	ensureLine(t, string(text), `^FAILED //:smoke_test::TestOnlyIn15 \[w\d\] \(PostgreSQL 18\)`, `version 18, <nil>`,
		`^  log: .*/logs/18/.*/test.log$`, `^run again: .* --postgres 18 //:smoke_test::TestOnlyIn15$`,
		`^9 passed, 1 failed, 0 skipped$`)
	text, err = pgcellIn(t, dir, "run", "--postgres", "18,15", "--lf").CombinedOutput()
	if err == nil || strings.Contains(string(text), "PostgreSQL 15") {
		t.Errorf("pgcell run --lf: %v, want a run with PostgreSQL 18 alone:\n%s", err, text)
	}
}
