package e2e_test

import (
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/nested"
	library "github.com/pgcell/pgcell/tools/pgcell"
)

// TestExistingServer has databases on a server that this test starts. Bazel does not know it: so no result is cached, and
// a test that is not declared for such a server refuses it.
func TestExistingServer(t *testing.T) {
	if !nested.HasPostgres() {
		t.Skip("no PostgreSQL on this machine")
	}
	dir := nested.Workspace(t, "smoke")
	none := bazel(t, dir, "test", "//existing:existing_test")
	const unset = "PGCELL_SERVER is not set, but //existing:existing_test has existing_server = True"
	if log := none.Logs("//existing:existing_test"); none.Code == 0 || !strings.Contains(log, unset) {
		t.Fatalf("without a server, bazel ended with %d; the log lacks %q:\n%s\n%s", none.Code, unset, log, none.Output)
	}
	server := library.Server(t)
	if _, err := server.Pool().Exec(t.Context(), "CREATE ROLE app LOGIN CREATEDB"); err != nil {
		t.Fatal(err)
	}
	url := server.URLFor("app", "postgres")
	const local = "--strategy=TestRunner=local" // as the socket is outside of a sandbox
	for range 2 {
		r := bazelIn(t, []string{"PGCELL_SERVER=" + url}, dir, "test", local, "//existing:existing_test")
		r.EnsureSuccess(t)
		if len(r.Shards) != 1 || r.Shards[0].Cached() {
			t.Errorf("results are %+v, want one that is not cached", r.Shards)
		}
	}
	r := bazel(t, dir, "test", local, "--test_env=PGCELL_SERVER="+url, "//:smoke_test")
	if log := r.Logs("//:smoke_test"); r.Code == 0 || !strings.Contains(log, "Bazel would cache the result of //:smoke_test") {
		t.Errorf("with a server, a test that is not declared for it ended with %d:\n%s\n%s", r.Code, log, r.Output)
	}
}
