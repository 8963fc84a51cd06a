package cells_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestDerivedPool makes a pool of the configuration of a recycled cell's pool, as tests do for other parameters: it has
// connections of its own, and the cell's has those of earlier tests.
func TestDerivedPool(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Ahead, c.Recycle = cells.AheadOff, cells.Auto })
	var warm []uint32
	for range 5 {
		mustUse(t, c, func(l *cells.Lease) {
			config := l.Pool().Config()
			config.ConnConfig.RuntimeParams["search_path"] = "pg_catalog"
			config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
				_, err := conn.Exec(ctx, "SET application_name = 'derived'")
				return err
			}
			derived, err := pgxpool.NewWithConfig(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			defer derived.Close()
			var got string
			const find = "SELECT current_setting('search_path') || ' ' || current_setting('application_name')"
			if err := derived.QueryRow(t.Context(), find).Scan(&got); err != nil || got != "pg_catalog derived" {
				t.Errorf("in a %s cell: %q, %v", l.Made(), got, err)
			}
			warm = append(warm, useTwo(t, l.Pool())...)
		})
	}
	seen := map[uint32]bool{}
	for _, pid := range warm {
		seen[pid] = true
	}
	if len(seen) != 2 {
		t.Errorf("5 tests that use two connections at once had %d processes, want 2", len(seen))
	}
}

// useTwo has two connections at the same time, and gives their processes.
func useTwo(t testing.TB, pool *pgxpool.Pool) (pids []uint32) {
	t.Helper()
	for range 2 {
		conn, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
		if err := conn.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		pids = append(pids, conn.Conn().PgConn().PID())
	}
	return pids
}

// TestBothPools has tests use Pool and WidePool, one connection of each.
func TestBothPools(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Ahead, c.Recycle = cells.AheadOff, cells.Auto })
	for range 5 {
		mustUse(t, c, func(l *cells.Lease) {
			narrow := l.Pool()
			wide, err := l.WidePool()
			if err != nil {
				t.Fatal(err)
			}
			for _, pool := range []*pgxpool.Pool{narrow, wide} {
				conn, err := pool.Acquire(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Release()
				if got := conn.Conn().Config().ConnString(); got != l.URL() {
					t.Errorf("in a %s cell ConnString() = %s, want %s", l.Made(), got, l.URL())
				}
			}
		})
	}
}
