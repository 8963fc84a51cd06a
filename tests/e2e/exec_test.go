package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tests/internal/nested"
)

// Tests that know nothing of pgcell need a database each, and get it by --run_under and by pg_test.
func TestExec(t *testing.T) {
	dir := cloneOf(t, "exec")
	migration := filepath.Join(dir, "db", "migrations", "1_item.sql")
	// A migration that no cache knows.
	nested.MustWrite(t, migration, fmt.Sprintf("-- %v\n%s", time.Now(), nested.MustRead(t, migration)))

	t.Run("one database", func(t *testing.T) { ensureFailsOnOneDatabase(t, dir) })
	run := func(args ...string) nested.Result {
		t.Helper()
		r := bazel(t, dir, "test", args...)
		r.EnsureSuccess(t)
		return r
	}
	ensureOwnDatabases(t, run("//rule/..."), "//rule:go")
	ensureAllCached(t, run("//rule/..."))
	each := []string{"--config=each", "//suite/..."} // from here on, since Bazel analyses all anew for other options
	ensureOwnDatabases(t, run(each...), "//suite:go_test")
	ensureAllCached(t, run(each...))

	nested.MustWrite(t, migration, nested.MustRead(t, migration)+"ALTER TABLE item ADD extra int;\n")
	for _, s := range run(each...).Shards {
		if s.Cached() {
			t.Errorf("%s came from the cache, though the template is another", s.Label)
		}
	}
	r := bazel(t, dir, "test", "--config=each", "//red:failing_test")
	r.EnsureOutput(t, 3, "items: 1")
	if log := r.Logs("//red:failing_test"); strings.Contains(log, "pgcell") {
		t.Errorf("pgcell adds to the log of a test that fails:\n%s", log)
	}
	// Outside of a sandbox, which would end all that is in it.
	r = bazel(t, dir, "test", "--config=each", "--spawn_strategy=local", "--test_timeout=5", "--local_termination_grace_seconds=1",
		"//red:hanging_test")
	r.EnsureOutput(t, 3, "connected")
	if len(r.Shards) != 1 || r.Shards[0].Status != "TIMEOUT" {
		t.Errorf("the test that hangs ended with %+v, want a time-out", r.Shards)
	}
	ensureNothingRuns(t, "TEST_TARGET=//red:hanging_test")
}

// ensureFailsOnOneDatabase asserts that the tests need databases of their own: two of them make the same item.
func ensureFailsOnOneDatabase(t *testing.T, dir string) {
	if !nested.HasPostgres() {
		t.Skip("no PostgreSQL on this machine, for pgcell exec outside of Bazel")
	}
	bazel(t, dir, "info", "release") // the server is no process below pgcell exec, so all tests have the command's database
	cmd := pgcellIn(t, dir, "exec", "--migrations", "db/migrations", "--", bazelOfTests(t), "test", "--keep_going",
		"--test_env=DATABASE_URL", "--experimental_convenience_symlinks=ignore", "--test_output=errors", "//suite/...")
	output, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 3 || !bytes.Contains(output, []byte("duplicate key value")) {
		t.Errorf("the tests on one database ended with %d, want 3 and duplicate keys:\n%s", code, output)
	}
}

var ownDatabase = regexp.MustCompile(`database (test_db_(w\d|master)_[0-9a-f]{8})`)

// ensureOwnDatabases asserts that each shard of a run had a database of its own, and that those of the sharded test are
// called by their shards.
func ensureOwnDatabases(t *testing.T, r nested.Result, sharded string) {
	t.Helper()
	databases, tests := map[string]bool{}, 0
	for _, s := range r.Shards {
		if strings.HasSuffix(s.Label, ":variables") {
			continue
		}
		tests++
		want := "master"
		if s.Label == sharded {
			want = fmt.Sprintf("w%d", s.Number-1)
		}
		m := ownDatabase.FindStringSubmatch(s.Log)
		if m == nil || m[2] != want {
			t.Errorf("%s, shard %d: the log names no database of worker %s:\n%s", s.Label, s.Number, want, s.Log)
			continue
		}
		databases[m[1]] = true
	}
	if tests != 4 || len(databases) != 4 {
		t.Errorf("%d shards had the databases %v, want 4 shards with one each", tests, databases)
	}
}

// ensureNothingRuns waits until no process has a variable in its environment.
func ensureNothingRuns(t *testing.T, variable string) {
	t.Helper()
	var left []string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		left = nil
		files, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is well formed
		for _, file := range files {
			if environ, err := os.ReadFile(file); err == nil && bytes.Contains(environ, []byte(variable)) {
				left = append(left, file)
			}
		}
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("these processes with %s are left: %v", variable, left)
}
