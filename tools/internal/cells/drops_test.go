package cells_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestDropsAreTold has no cell recycled, for a reason that the user can do something about, and is told of it once.
func TestDropsAreTold(t *testing.T) {
	t.Parallel()
	var warned, traced warnings
	c := mustShop(t, func(c *cells.Config) {
		c.Ahead, c.Recycle, c.Warn, c.Trace = cells.AheadOff, cells.Auto, warned.add, traced.add
	})
	for i := range 45 {
		statement := "INSERT INTO many VALUES (1001, 'x')"
		if i == 10 {
			statement = "SELECT 1"
		}
		mustUse(t, c, func(l *cells.Lease) { mustRun(t, l, statement) })
	}
	const reason = "rows changed where they cannot be put back: many"
	const want = "the cells of the last 20 tests could not be used again, and each test needs a new clone, which is slower;" +
		" the last was that of TestDropsAreTold: " + reason + "; see docs/isolation.md of pgcell"
	if got := warned.String(); got != want {
		t.Errorf("warnings = %q, want once %q", got, want)
	}
	mustUse(t, c, func(l *cells.Lease) { mustRun(t, l, "SELECT lo_from_bytea(0, 'x')") })
	got := strings.Split(traced.String(), "\n")
	if last := got[len(got)-1]; !strings.HasSuffix(last, "rows changed where they cannot be put back: catalogs, as DDL does, or large objects") {
		t.Errorf("after a large object, the reason is %q", last)
	}
}

// TestNoConnectionGoesOn has a template with a function, which may leave state in connections: each test gets new ones.
func TestNoConnectionGoesOn(t *testing.T) {
	t.Parallel()
	var traced warnings
	sql := shop + "; CREATE FUNCTION remember() RETURNS text LANGUAGE sql AS $$ SELECT set_config('a.b', 'x', false) $$"
	c := mustOpenWith(t, sql, func(c *cells.Config) { c.Ahead, c.Trace = cells.AheadOff, traced.add })
	for i := range 3 {
		mustUse(t, c, func(l *cells.Lease) {
			var before, after *string
			err := l.Pool().QueryRow(t.Context(), "SELECT current_setting('a.b', true), remember()").Scan(&before, &after)
			if err != nil || before != nil {
				t.Errorf("test %d, in a %s cell: a.b is %v, %v; want none", i, l.Made(), before, err)
			}
		})
	}
	if got, want := traced.String(), "no connection goes on to the next test: what function remember() leaves in a session is not known"; got != want {
		t.Errorf("traced %q, want %q", got, want)
	}
}

// TestServerLogOfARecycledCell asks for what the server said of a test whose session an earlier test opened, when the
// database had another name.
func TestServerLogOfARecycledCell(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Ahead, c.Recycle = cells.AheadOff, cells.Auto })
	for _, table := range []string{"missing_first", "missing_second"} {
		mustUse(t, c, func(l *cells.Lease) {
			if _, err := l.Pool().Exec(t.Context(), "SELECT * FROM "+table); err == nil {
				t.Error("no error for a table that is missing")
			}
			log := l.ServerLog(1 << 20)
			if !strings.Contains(log, table) {
				t.Errorf("the log of a %s cell does not speak of %s: %q", l.Made(), table, log)
			}
			if table == "missing_second" && (strings.Contains(log, "missing_first") || l.Made() != "recycled") {
				t.Errorf("the log of a %s cell speaks of an earlier test: %q", l.Made(), log)
			}
		})
	}
}

// TestPoolAfterReturn asks for pools only after the cell has gone, possibly to another test.
func TestPoolAfterReturn(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Ahead, c.Recycle = cells.AheadOff, cells.Auto })
	var old *cells.Lease
	mustUse(t, c, func(l *cells.Lease) { old = l })
	mustUse(t, c, func(l *cells.Lease) {
		wide, err := old.WidePool()
		if err != nil {
			t.Fatal(err)
		}
		for name, pool := range map[string]interface {
			QueryRow(context.Context, string, ...any) pgx.Row
		}{"Pool": old.Pool(), "WidePool": wide} {
			var database string
			if err := pool.QueryRow(t.Context(), "SELECT current_database()").Scan(&database); err == nil {
				t.Errorf("%s() after Return leads to %s, which is now %s", name, database, l.Name())
			}
		}
		mustRun(t, l, "SELECT 1")
	})
}
