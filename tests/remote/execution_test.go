//go:build linux

package remote_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/nested"
)

const postgresFlag = "--@pgcell//tools/rules:postgres="

// TestIntegrationRemotely runs tests/integration where neither PostgreSQL nor Go is installed: as root, as an ordinary user,
// and as root that may make no user namespaces. All actions run there, and so do all shards.
func TestIntegrationRemotely(t *testing.T) {
	for _, user := range []workerUser{
		{name: "root", postgres: "npm-18"},
		{name: "ordinary user", uid: 1000, postgres: "npm-17"},
		{name: "root without namespaces", noNamespaces: true, postgres: "npm-16"},
	} {
		t.Run(user.name, func(t *testing.T) {
			w := startWorker(t, user)
			r := nested.Bazel{}.Run(t, nested.MustTree(t), "test",
				append(w.flags(), postgresFlag+user.postgres, "--keep_going", "//tests/integration/...")...)
			failed := 0
			for _, s := range r.Shards {
				if s.Status != "PASSED" {
					failed++
					t.Errorf("%s, shard %d, by %s: %s\n%s", s.Label, s.Number, s.Strategy, s.Status, s.Log)
				}
			}
			t.Logf("as %s: %d shards by strategy %v, %d failed, in %v", user.name, len(r.Shards), byStrategy(r.Shards), failed, r.Took)
			r.EnsureSuccess(t)
			if remote := byStrategy(r.Shards)["remote"]; remote == 0 || remote != len(r.Shards) {
				t.Errorf("shards by strategy: %v, want all of %d remote", byStrategy(r.Shards), len(r.Shards))
			}
			last := r.Shards[len(r.Shards)-1].Label
			if !slices.Contains([]string{"//tests/integration/serial:serial_test"}, last) {
				t.Errorf("the last test is %s, want the serial one, which runs alone", last)
			}
		})
	}
}

// TestHostPostgresRemotely runs a test remotely whose template was built with this machine's PostgreSQL.
func TestHostPostgresRemotely(t *testing.T) {
	if !nested.HasPostgres() {
		t.Skip("no PostgreSQL on this machine")
	}
	w := startWorker(t, workerUser{name: "root"})
	r := nested.Bazel{}.Run(t, nested.MustTree(t), "test", append(w.flags(), postgresFlag+"host", "--spawn_strategy=remote,local",
		"//tests/integration/quickstart/...")...)
	for _, want := range []string{
		"of the machine that Bazel runs on, and this machine lacks it. For tests that run remotely, choose a PostgreSQL that is an " +
			"input of the tests: --@pgcell//tools/rules:postgres=npm, or postgres.archive(...) in MODULE.bazel",
	} {
		if log := r.Logs("//tests/integration/quickstart:quickstart_test"); !strings.Contains(log, want) {
			t.Errorf("the test's log lacks %q:\n%s\nBazel's output:\n%s", want, log, r.Output)
		}
	}
	if r.Code != 3 {
		t.Errorf("bazel ended with %d, want 3", r.Code)
	}
}
