package cells_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// misses runs tests one after another that read what they have written by the transaction horizon, as programs with an
// outbox do, and counts those that do not find it: some other transaction of the server was older.
func misses(t *testing.T, tests int, body string, recycle cells.Recycle) (missed int) {
	t.Helper()
	c := mustOpenWith(t, "CREATE TABLE outbox (id int, xid xid8 DEFAULT pg_current_xact_id())", func(c *cells.Config) {
		c.Recycle = recycle
	})
	for range tests {
		l := mustTake(t, c)
		mustRun(t, l, "INSERT INTO outbox VALUES (1)")
		var n int
		const find = "SELECT count(*) FROM outbox WHERE xid < pg_snapshot_xmin(pg_current_snapshot())"
		if err := l.Pool().QueryRow(t.Context(), find).Scan(&n); err != nil {
			t.Error(err)
		}
		missed += 1 - n
		mustRun(t, l, body)
		if err := l.Return(); err != nil {
			t.Fatal(err)
		}
	}
	return missed
}

// TestHorizon has tests that run one after another, in cells that are used again, see their own transactions below the
// horizon. Where each cell is a new clone, clones are made and dropped beside the test: see docs/isolation.md.
func TestHorizon(t *testing.T) {
	t.Parallel()
	if n := misses(t, 300, "SELECT 1", cells.Auto); n > 0 {
		t.Errorf("%d of 300 tests did not find what they wrote, want none", n)
	}
	t.Logf("with DDL, %d of 100", misses(t, 100, "CREATE TABLE x ()", cells.Auto))
	t.Logf("with clones, %d of 100", misses(t, 100, "SELECT 1", cells.Never))
}
