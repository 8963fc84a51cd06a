package cells_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestManyHoldCells has more tests hold cells at once than each could fill its pool of, as tests do that wait for
// parallel subtests.
func TestManyHoldCells(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Recycle = cells.Auto })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var holding sync.WaitGroup
	for i := range 30 {
		holding.Go(func() {
			l, err := c.Take(ctx, cells.Request{Test: fmt.Sprint("Test", i)})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := l.Pool().Exec(ctx, "SELECT 1"); err != nil {
				t.Error(err)
			}
		})
	}
	holding.Wait()
}

// TestUnreadRows has a test leave a session that writes to a client which does not read: a server's process that does
// so keeps each DROP DATABASE waiting.
func TestUnreadRows(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*cells.Lease) error{
		"returned": (*cells.Lease).Return,
		"kept":     func(l *cells.Lease) error { l.Keep(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var warned warnings
			c := mustShop(t, func(c *cells.Config) { c.Recycle, c.Warn = cells.Auto, warned.add })
			l := mustTake(t, c)
			rows, err := l.Pool().Query(t.Context(), "SELECT generate_series(1, 1000000)")
			if err != nil || !rows.Next() {
				t.Fatal("no rows", err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			for i := range 6 {
				changed := mustTake(t, c)
				mustRun(t, changed, "CREATE TABLE x ()")
				if i == 3 {
					if err := leave(l); err != nil {
						t.Fatal(err)
					}
				}
				if err := changed.Return(); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.Quiet(ctx); err != nil {
				t.Errorf("cells are not dropped after 30 s: %v; warned: %s", err, &warned)
			}
			if !strings.Contains(warned.String(), "has not given a connection back to the pool") {
				t.Errorf("warned %q", &warned)
			}
		})
	}
}

// TestDeadlinePassed has a connection break by a deadline: the test has given it back, and is not warned. It waits for pgx
// to close the connection, which on a busy machine may take longer than the end of a test waits.
func TestDeadlinePassed(t *testing.T) {
	var warned warnings
	c := mustShop(t, func(c *cells.Config) { c.Recycle, c.Warn = cells.Auto, warned.add })
	for range 10 {
		mustUse(t, c, func(l *cells.Lease) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			if _, err := l.Pool().Exec(ctx, "SELECT pg_sleep(10)"); err == nil {
				t.Error("the deadline has not passed")
			}
			ended := func() (ended bool) {
				const none = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(10)')"
				err := l.Pool().QueryRow(t.Context(), none).Scan(&ended)
				return err == nil && ended
			}
			if !eventually(ended) {
				t.Error("pgx does not close the connection")
			}
		})
	}
	if warned.String() != "" {
		t.Errorf("warned %s, want nothing", &warned)
	}
}

// TestFoldedFunction has functions that are said to be immutable read a table, whose rows differ from test to test.
func TestFoldedFunction(t *testing.T) {
	t.Parallel()
	c := mustOpenWith(t, `
CREATE TABLE t (name text);
CREATE FUNCTION name() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT name FROM t';
CREATE FUNCTION calls() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN name() || ''!''; END'`, func(c *cells.Config) {
		c.Recycle, c.Ahead = cells.Auto, cells.AheadOff
	})
	for i := range 10 {
		mustUse(t, c, func(l *cells.Lease) {
			var got string
			mustRun(t, l, fmt.Sprintf("INSERT INTO t VALUES ('n%d')", i))
			err := l.Pool().QueryRow(t.Context(), "SELECT name() || ' ' || calls()").Scan(&got)
			if want := fmt.Sprintf("n%d n%d!", i, i); got != want || err != nil {
				t.Errorf("in a %s cell: %q, %v, want %q", l.Made(), got, err, want)
			}
		})
	}
}
