package cells_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestLockedTableLeavesNoDatabase has a session that a test left hold a lock which the look at the cell waits for in
// vain: the cell is dropped, by the name that it has got meanwhile.
func TestLockedTableLeavesNoDatabase(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Ahead, c.Recycle = cells.AheadOff, cells.Auto })
	mustUse(t, c, func(l *cells.Lease) {
		conn, err := l.Pool().Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		mustRun(t, l, "INSERT INTO parent (name) VALUES ('x')") // on another connection, whose changes are known at once
		for _, sql := range []string{"BEGIN", "LOCK TABLE parent"} {
			if _, err := conn.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
	})
	var left []string
	const others = "SELECT coalesce(array_agg(datname::text), '{}') FROM pg_database WHERE datname LIKE 'cell%'"
	if err := c.Admin().QueryRow(t.Context(), others).Scan(&left); err != nil || len(left) > 1 {
		t.Errorf("databases %q, %v are there, want at most one that is used again", left, err)
	}
	mustUse(t, c, func(l *cells.Lease) {
		if n := count(t, l, "parent"); n != 0 {
			t.Errorf("a %s cell has %d rows, want 0", l.Made(), n)
		}
	})
	if err := c.Admin().QueryRow(t.Context(), others).Scan(&left); err != nil || len(left) > 1 {
		t.Errorf("in the end databases %q, %v are there, want one", left, err)
	}
}
