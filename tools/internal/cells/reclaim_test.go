package cells_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestMoreHoldCellsThanThereAreConnections has tests hold a cell each, with a connection in its pool, until all have
// one, as tests do that wait for parallel subtests.
func TestMoreHoldCellsThanThereAreConnections(t *testing.T) {
	t.Parallel()
	for _, parallel := range []int{0, 2} {
		t.Run(fmt.Sprint("parallel ", parallel), func(t *testing.T) {
			t.Parallel()
			c := mustShop(t, func(c *cells.Config) {
				c.Recycle, c.Parallel, c.Settings = cells.Auto, parallel, map[string]string{"max_connections": "32"}
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			running := make(chan struct{}, 2)
			var holding sync.WaitGroup
			var leases sync.Map
			for i := range 36 {
				holding.Go(func() {
					running <- struct{}{}
					defer func() { <-running }()
					l, err := c.Take(ctx, cells.Request{Test: fmt.Sprint("Test", i)})
					if err != nil {
						t.Error(err)
						return
					}
					leases.Store(l, true)
					if _, err := l.Pool().Exec(ctx, "INSERT INTO parent (name) VALUES ('x')"); err != nil {
						t.Error(err)
					}
				})
			}
			holding.Wait()
			for l := range leases.Range {
				l := l.(*cells.Lease)
				if n := count(t, l, "parent"); n != 1 { // by a new connection, or the old
					t.Errorf("%s has %d rows, want 1", l.Name(), n)
				}
				if err := l.Return(); err != nil {
					t.Error(err)
				}
			}
			if err := c.Quiet(ctx); err != nil {
				t.Fatal(err)
			}
			var kept int
			const find = "SELECT count(*) FROM pg_database WHERE datname LIKE 'cell_%'"
			if err := c.Admin().QueryRow(ctx, find).Scan(&kept); err != nil || kept > 10 {
				t.Errorf("%d databases are kept, %v, want no more than 4 tests at once may use", kept, err)
			}
		})
	}
}

// TestReclaim ends sessions that a test does not use, but none that holds what a new one would not have.
func TestReclaim(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Recycle, c.Ahead = cells.Auto, cells.AheadOff })
	for name, run := range map[string]struct {
		sql  string
		ends bool
	}{
		"rows":                 {sql: "INSERT INTO parent (name) VALUES ('x')", ends: true},
		"role":                 {sql: "SET ROLE pg_monitor"},
		"parameter":            {sql: "SET work_mem = '1MB'"},
		"parameter by a call":  {sql: "SELECT set_config('a.b', 'x', false)"},
		"temporary table":      {sql: "CREATE TEMP TABLE x ()"},
		"advisory lock":        {sql: "SELECT pg_advisory_lock(1)"},
		"channel":              {sql: "LISTEN x"},
		"cursor":               {sql: "DECLARE x CURSOR WITH HOLD FOR SELECT 1"},
		"prepared statement":   {sql: "PREPARE x AS SELECT 1"},
		"transaction's locks":  {sql: "BEGIN; SELECT pg_advisory_xact_lock(1); COMMIT", ends: true},
		"transaction's tables": {sql: "BEGIN; CREATE TEMP TABLE x () ON COMMIT DROP; COMMIT"}, // the schema stays
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := mustTake(t, c)
			defer l.Return()
			if name == "role" {
				mustExecAdmin(t, c, "GRANT pg_monitor TO pgcell")
			}
			if _, err := l.Pool().Exec(t.Context(), run.sql); err != nil {
				t.Fatal(err)
			}
			before := pid(t, l)
			c.Reclaim()
			if now := pid(t, l); now != before {
				t.Errorf("a session that was in use ended")
			}
			for range 2 { // the first only begins to watch
				c.Reclaim()
				time.Sleep(1100 * time.Millisecond)
			}
			if now := pid(t, l); (now != before) != run.ends {
				t.Errorf("process %d before, %d after; want it to end: %v", before, now, run.ends)
			}
		})
	}
}

func pid(t testing.TB, l *cells.Lease) (n int) {
	t.Helper()
	if err := l.Pool().QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func mustExecAdmin(t testing.TB, c *cells.Cluster, sql string) {
	t.Helper()
	if _, err := c.Admin().Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// TestServerIsFull has clients that came by URL take all connections, as those of tests that wait for subtests may: who
// wants one from a pool waits.
func TestServerIsFull(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) {
		c.Recycle, c.Ahead, c.Settings = cells.Auto, cells.AheadOff, map[string]string{"max_connections": "24"}
	})
	var leases []*cells.Lease
	for range 6 {
		l, err := c.Take(t.Context(), cells.Request{Test: t.Name(), Holding: true})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Return()
		leases = append(leases, l)
	}
	var clients []*pgx.Conn
	for {
		conn, err := pgx.Connect(t.Context(), leases[0].URL())
		var full *pgconn.PgError
		if errors.As(err, &full) && full.Code == "53300" {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
		clients = append(clients, conn)
	}
	waited := make(chan error)
	go func() {
		_, err := leases[1].Pool().Exec(t.Context(), "SELECT 1")
		waited <- err
	}()
	select {
	case err := <-waited:
		t.Fatalf("a pool's connection to a full server: %v, want a wait", err)
	case <-time.After(200 * time.Millisecond):
	}
	for _, conn := range clients[:8] {
		conn.Close(t.Context())
	}
	if err := <-waited; err != nil {
		t.Errorf("after clients have gone: %v", err)
	}
}
