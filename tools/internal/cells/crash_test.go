package cells_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestSessionsEndWithoutCrash has resting sessions end by themselves, or by somebody. The server has not crashed then, and
// the template's unlogged tables are there.
func TestSessionsEndWithoutCrash(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{
		"time-out":  "ALTER ROLE pgcell SET idle_session_timeout = '100ms'",
		"terminate": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'pgcell'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := mustOpenWith(t, "CREATE UNLOGGED TABLE t AS SELECT 1 AS id", func(c *cells.Config) { c.Recycle = cells.Auto })
			for i := range 4 {
				l := mustTake(t, c)
				if n := count(t, l, "t"); n != 1 {
					t.Errorf("%d rows, want 1", n)
				}
				if err := l.Return(); err != nil {
					t.Fatal(err)
				}
				if err := c.Quiet(t.Context()); err != nil {
					t.Fatal(err)
				}
				if i > 0 {
					mustExecAdmin(t, c, end)
					time.Sleep(150 * time.Millisecond) // until the time-out
				}
			}
		})
	}
}

// TestTimeouts has a server whose parameters end every statement of a test at once: cells are made, recycled and dropped
// all the same.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	var warned warnings
	c := mustShop(t, func(c *cells.Config) {
		c.Recycle, c.Ahead, c.Warn, c.Trace = cells.Auto, cells.AheadOff, warned.add, warned.add
		c.Settings = map[string]string{
			"statement_timeout": "1ms", "lock_timeout": "1ms", "idle_session_timeout": "50ms", "idle_in_transaction_session_timeout": "50ms",
			"default_transaction_read_only": "on", "default_transaction_isolation": "serializable",
		}
		if c.Install.Version.Major >= 17 {
			c.Settings["transaction_timeout"] = "100ms" // a session begins with a transaction, too
		}
	})
	for _, sql := range []string{"INSERT INTO parent (name) VALUES ('x')", "CREATE TABLE x ()", "SELECT 1"} {
		l := mustTake(t, c)
		pool, err := l.OwnPool(func(config *pgxpool.Config) { // as the test may
			config.ConnConfig.RuntimeParams["statement_timeout"] = "0"
			config.ConnConfig.RuntimeParams["transaction_timeout"] = "0"
			config.ConnConfig.RuntimeParams["default_transaction_read_only"] = "off"
			if c.Server().Install().Version.Major < 17 {
				delete(config.ConnConfig.RuntimeParams, "transaction_timeout")
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Error(err)
		}
		if err := l.Return(); err != nil {
			t.Error(err)
		}
		if err := c.Quiet(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond) // twice idle_session_timeout
	}
	for _, line := range strings.Split(warned.String(), "\n") {
		if strings.Contains(line, "timeout") || strings.Contains(line, "read-only") {
			t.Errorf("warned %s", line)
		}
	}
}

// TestServerEndsWhileTestsWait has the server end while tests wait for a cell, and for a connection of their pool.
func TestServerEndsWhileTestsWait(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) {
		c.Recycle, c.Ahead, c.Settings = cells.Auto, cells.AheadOff, map[string]string{"max_connections": "20"}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const waiting = 12
	failed := make(chan error, waiting)
	l := mustTake(t, c) // there is room for one cell
	for range waiting / 2 {
		go func() {
			_, err := l.Pool().Exec(ctx, "SELECT pg_sleep(60)")
			failed <- err
		}()
		go func() {
			_, err := c.Take(ctx, cells.Request{Test: t.Name()})
			failed <- err
		}()
	}
	time.Sleep(500 * time.Millisecond) // until they wait
	if _, err := c.Admin().Exec(ctx, "COPY (SELECT 1) TO PROGRAM 'kill -9 $(head -n 1 postmaster.pid)'"); err == nil {
		t.Log("the backend outlives the postmaster for a moment")
	}
	start := time.Now()
	for range waiting {
		if err := <-failed; err == nil {
			t.Error("a statement has run")
		}
	}
	if d := time.Since(start); d > 30*time.Second {
		t.Errorf("the last wait ended after %v", d)
	}
	if _, err := c.Take(ctx, cells.Request{Test: t.Name()}); err == nil || !strings.Contains(err.Error(), "server's log") {
		t.Errorf("Take = %v, want an error with the end of the server's log", err)
	}
}

func mustExecAdmin(t testing.TB, c *cells.Cluster, sql string) {
	t.Helper()
	if _, err := c.Admin().Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}
