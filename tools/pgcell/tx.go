package pgcell

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/postgres"
)

// sharedKey names the one cell of a cluster whose tests roll back all that they do.
type sharedKey struct {
	cluster *cells.Cluster
	empty   bool
}

type shared struct {
	once sync.Once
	pool *pgxpool.Pool
	err  error
}

var sharedCells sync.Map // sharedKey to *shared

// Tx gives the test a transaction, which is rolled back when the test ends, in a cell that all such tests of the
// process share: the cheapest isolation, for code that takes a transaction and does not commit. Sequences that it moves
// stay moved. Config.Pool is ignored.
//
// Cost: below 1 ms; the first call of a process as [New]. As many such tests run at once as the server has connections
// for; the next waits, which is told of after 5 s.
func Tx(t TB, config ...Config) pgx.Tx {
	t.Helper()
	c := one(t, "pgcell.Tx", config)
	enter(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cluster, err := process.cluster(ctx, c)
	if err != nil {
		t.Fatalf("pgcell.Tx: %v", err)
	}
	pool, err := sharedPool(ctx, sharedKey{cluster, c.Empty})
	if err != nil {
		t.Fatalf("pgcell.Tx: %v", err)
	}
	tx, err := pool.Begin(ctx)
	if err != nil {
		t.Fatalf("pgcell.Tx: begin: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := tx.Rollback(ctx); err != nil && err != pgx.ErrTxClosed {
			t.Logf("pgcell: roll back: %v", err)
		}
	})
	return tx
}

// sharedPool gives connections to the shared cell, which lives as long as the server.
func sharedPool(ctx context.Context, key sharedKey) (*pgxpool.Pool, error) {
	found, _ := sharedCells.LoadOrStore(key, &shared{})
	s := found.(*shared)
	s.once.Do(func() {
		var lease *cells.Lease
		if lease, s.err = key.cluster.Take(ctx, cells.Request{Test: "pgcell.Tx", Empty: key.empty, Shared: true}); s.err == nil {
			s.pool, s.err = lease.OwnPool(func(c *pgxpool.Config) {
				c.MaxConns = postgres.MaxConnections
				// So that after many such tests at once others find connections.
				c.MaxConnIdleTime, c.HealthCheckPeriod = 2*time.Second, time.Second
			})
		}
	})
	return s.pool, s.err
}
