// Package e2e_test runs Bazel in workspaces of their own, one behaviour each, as a user's repository would be. Each
// directory beside this file is such a workspace; a few more are written by the tests.
//
// The tests share one Bazel output base and so run one after the other; those of one workspace follow each other, since
// Bazel's server starts anew for another one.
package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tests/internal/nested"
	"github.com/pgcell/pgcell/tests/internal/source"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "e2e-pgcell-"); err != nil {
		fmt.Fprintln(os.Stderr, "make a directory for workspaces:", err)
		return 1
	}
	defer os.RemoveAll(scratch)
	code := m.Run()
	if err := shutdown(); err != nil {
		fmt.Fprintln(os.Stderr, "shut Bazel's server down:", err)
		return 1
	}
	return code
}

// shutdown ends the server that the tests started.
func shutdown() error {
	tree, err := source.Tree()
	if err != nil {
		return err
	}
	return nested.Bazel{}.Shutdown(filepath.Join(tree, "tests", "e2e", "smoke"))
}

var cellName = regexp.MustCompile(`cell (test_db_(w\d+|master)_[0-9a-f]{8})`)

// ensureCells asserts that a test passed in all its shards, with a database of its own for each test function.
func ensureCells(t *testing.T, r nested.Result, label string, shards, tests int) {
	t.Helper()
	var statuses []string
	for _, s := range r.Shards {
		if s.Label == label {
			statuses = append(statuses, s.Status)
		}
	}
	want := slices.Repeat([]string{"PASSED"}, shards)
	if !slices.Equal(statuses, want) {
		t.Errorf("shards of %s ended with %v, want %v", label, statuses, want)
	}
	names, workers := map[string]bool{}, map[string]bool{}
	for _, m := range cellName.FindAllStringSubmatch(r.Logs(label), -1) {
		names[m[1]], workers[m[2]] = true, true
	}
	if len(names) != tests {
		t.Errorf("databases of %s = %v, want %d different ones", label, names, tests)
	}
	for shard := range shards {
		if worker := fmt.Sprintf("w%d", shard); !workers[worker] || len(workers) != shards {
			t.Errorf("workers of %s = %v, want w0 to w%d", label, workers, shards-1)
		}
	}
	if t.Failed() {
		t.Fatalf("Bazel's output:\n%s", r.Output)
	}
}

func TestSmoke(t *testing.T) {
	r := bazel(t, nested.Workspace(t, "smoke"), "test", "//...")
	r.EnsureSuccess(t)
	ensureCells(t, r, "//:smoke_test", 2, 4)

	again := bazel(t, nested.Workspace(t, "smoke"), "test", "//...")
	again.EnsureSuccess(t)
	ensureAllCached(t, again)
}

func ensureAllCached(t *testing.T, r nested.Result) {
	t.Helper()
	if len(r.Shards) == 0 {
		t.Errorf("no test result at all, want cached ones:\n%s", r.Output)
	}
	for _, s := range r.Shards {
		if !s.Cached() {
			t.Errorf("%s, shard %d was executed (%s), want it from the cache", s.Label, s.Number, s.Strategy)
		}
	}
}

func TestPostgresVersions(t *testing.T) {
	for _, version := range []string{"15", "18"} {
		t.Run(version, func(t *testing.T) {
			r := bazel(t, nested.Workspace(t, "smoke"), "test", flag+version, "//...")
			r.EnsureSuccess(t)
			ensureCells(t, r, "//:smoke_test", 2, 4)
			if log := r.Logs("//:smoke_test"); !strings.Contains(log, "PostgreSQL "+version+".") {
				t.Errorf("the log names no PostgreSQL %s:\n%s", version, log)
			}
		})
	}
}

func TestFailingMigrations(t *testing.T) {
	dir := nested.Workspace(t, "failing_migration")
	for target, parts := range map[string][]string{
		"broken_sql": {"Migrating //:broken_sql on PostgreSQL ", "//:broken_sql: migration failed\n" +
			`migrations/002_orders.sql:3: ERROR: relation "customers" does not exist (SQLSTATE 42P01)`},
		"broken_seed": {"//:broken_seed: migration failed\n" +
			`seeds.sql:2: ERROR: duplicate key value violates unique constraint "users_pkey" (SQLSTATE 23505)`,
			"DETAIL: Key (id)=(1) already exists."},
		"broken_migrator":   {"migrator.sh: exit status 3", "migrator: cannot make up my mind about pgcell"},
		"unknown_extension": {`make extension "no_such_extension"`, `extension "no_such_extension" is not available`},
		"unknown_setting":   {`unrecognized configuration parameter "no_such_setting"`},
	} {
		t.Run(target, func(t *testing.T) { bazel(t, dir, "build", "//:"+target).EnsureOutput(t, 1, parts...) })
	}
}

func TestPlainGoTest(t *testing.T) {
	r := bazel(t, nested.Workspace(t, "plain_go_test"), "test", "//template/...")
	r.EnsureSuccess(t)
	ensureCells(t, r, "//template:template_test", 3, 3)

	if !nested.HasPostgres() {
		t.Skip("no PostgreSQL on this machine, which a test without a template takes")
	}
	r = bazel(t, nested.Workspace(t, "plain_go_test"), "test", "//code/...")
	r.EnsureSuccess(t)
	ensureCells(t, r, "//code:code_test", 2, 2)
}

// A second clone, elsewhere, finds all results in the disk cache: no path of the workspace is in a key.
func TestSecondCloneExecutesNothing(t *testing.T) {
	first := bazel(t, nested.Workspace(t, "smoke"), "test", "//...")
	first.EnsureSuccess(t)
	// Without the output base's own memory the disk cache is all there is.
	second := bazel(t, cloneOf(t, "smoke"), "test", "--nouse_action_cache", "//...")
	second.EnsureSuccess(t)
	ensureAllCached(t, second)
}

// After an edit in one suite its shards run, and no others.
func TestOneEditRunsThatSuiteAlone(t *testing.T) {
	if !nested.HasPostgres() {
		t.Skip("no PostgreSQL on this machine, which a test without a template takes")
	}
	dir := cloneOf(t, "plain_go_test")
	bazel(t, dir, "test", "//...").EnsureSuccess(t)

	file := filepath.Join(dir, "template", "template_test.go")
	// A test that no cache knows. A comment would not do: the compiled test would be the same.
	text := nested.MustRead(t, file)
	nested.MustWrite(t, file, fmt.Sprintf("%s\nfunc TestAdded%d(*testing.T) {}\n", text, time.Now().UnixNano()))
	r := bazel(t, dir, "test", "//...")
	r.EnsureSuccess(t)
	ran := map[string]int{}
	for _, s := range r.Shards {
		if !s.Cached() {
			ran[s.Label]++
		}
	}
	if len(r.Shards) != 5 || len(ran) != 1 || ran["//template:template_test"] != 3 {
		t.Errorf("of %d shards these ran: %v; want, of 5, the 3 of //template:template_test\n%s", len(r.Shards), ran, r.Output)
	}
}

func TestStrategies(t *testing.T) {
	for _, strategy := range []string{"linux-sandbox", "processwrapper-sandbox", "local"} {
		// A migration that no cache knows: the template is built in this way too.
		dir := cloneOf(t, "smoke")
		migration := filepath.Join(dir, "migrations", "001_accounts.sql")
		nested.MustWrite(t, migration, fmt.Sprintf("-- %s, %v\n%s", strategy, time.Now(), nested.MustRead(t, migration)))
		versions := []string{"18"}
		if strategy == "linux-sandbox" { // the others differ in where files lie, not in what runs
			versions = []string{"15", "18"}
		}
		for _, version := range versions {
			t.Run(strategy+"/"+version, func(t *testing.T) {
				r := bazel(t, dir, "test", "--spawn_strategy="+strategy, flag+version, "//:smoke_test")
				r.EnsureSuccess(t)
				ensureCells(t, r, "//:smoke_test", 2, 4)
				for _, s := range r.Shards {
					if s.Strategy != strategy {
						t.Errorf("shard %d ran by %q, want %q", s.Number, s.Strategy, strategy)
					}
				}
			})
		}
	}
}

// Gazelle keeps the kind of an existing pg_go_test and writes its deps, and makes one where there is none.
func TestGazelleWritesPgGoTest(t *testing.T) {
	dir := cloneOf(t, "smoke")
	file := filepath.Join(dir, "BUILD.bazel")
	want := nested.MustRead(t, file)
	deps := regexp.MustCompile(`(?s)    deps = \[.*?\],\n`)
	if !deps.MatchString(want) {
		t.Fatalf("the workspace's BUILD file has no deps:\n%s", want)
	}
	nested.MustWrite(t, file, deps.ReplaceAllString(want, ""))
	nested.MustWrite(t, filepath.Join(dir, "more", "more_test.go"), `package more_test

import "testing"

func TestNothing(*testing.T) {}
`)
	bazel(t, dir, "run", "//:gazelle").EnsureSuccess(t)
	if got := nested.MustRead(t, file); got != want {
		t.Errorf("Gazelle wrote\n%s\nwant\n%s", got, want)
	}
	const made = `load("@pgcell//tools/rules:defs.bzl", "pg_go_test")

pg_go_test(
    name = "more_test",
    srcs = ["more_test.go"],
)
`
	if got := nested.MustRead(t, filepath.Join(dir, "more", "BUILD.bazel")); got != made {
		t.Errorf("Gazelle made\n%s\nwant\n%s", got, made)
	}
}
