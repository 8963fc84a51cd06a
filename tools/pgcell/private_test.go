package pgcell_test

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/pgcell/pgcell/tools/pgcell"
)

// TestPrivate has a test's cell on a server of its own: no transaction of another test, or of pgcell's, is older than the
// test's own, and roles are the test's alone.
func TestPrivate(t *testing.T) {
	t.Parallel()
	config := pgcell.Config{Migrations: fstest.MapFS{"1.sql": {Data: []byte(
		"CREATE TABLE outbox (id int, xid xid8 DEFAULT pg_current_xact_id()); INSERT INTO outbox VALUES (0, '1')")}}}
	shared := pgcell.New(t, config)
	config.Private = true
	var hosts []string
	for range 2 {
		t.Run("private", func(t *testing.T) {
			cell := pgcell.New(t, config)
			hosts = append(hosts, cell.Config().Host)
			for i := range 50 {
				if _, err := cell.Pool().Exec(t.Context(), "INSERT INTO outbox VALUES (1)"); err != nil {
					t.Fatal(err)
				}
				if n := mustScan[int](t, cell, "SELECT count(*) FROM outbox WHERE xid < pg_snapshot_xmin(pg_current_snapshot())"); n != i+2 {
					t.Errorf("%d rows below the horizon, want %d", n, i+2)
				}
			}
			if n := mustScan[int](t, cell, "SELECT count(*) FROM pg_database WHERE datname LIKE 'test_db_%'"); n != 1 {
				t.Errorf("%d cells on the server, want this one", n)
			}
		})
	}
	if len(hosts) != 2 || hosts[0] == hosts[1] || hosts[0] == shared.Config().Host {
		t.Errorf("servers in %q, and that of all other tests in %q; want three", hosts, shared.Config().Host)
	}
	ensureSoon(t, "the server of a test that has ended is gone", func() bool {
		_, first := os.Stat(hosts[0])
		_, second := os.Stat(hosts[1])
		return os.IsNotExist(first) && os.IsNotExist(second)
	})
}

func TestPrivateIsNotForTx(t *testing.T) {
	t.Parallel()
	ensureFatal(t, func(f *fakeTB) { pgcell.Tx(f, pgcell.Config{Private: true}) }, "Config.Private is set", "use pgcell.New")
}
