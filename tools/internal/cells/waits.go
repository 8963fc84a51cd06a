package cells

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// waits tells of a test that waits for a connection of its own pool while it holds all of them. It is the pool's tracer,
// of which pgxpool takes [pgxpool.AcquireTracer].
type waits struct {
	cell *cell
	once sync.Once // one warning a pool
}

// acquiring is the context key of the timer of a call of Acquire.
type acquiring struct{}

// TraceAcquireStart is called by pgxpool when a test asks for a connection.
func (w *waits) TraceAcquireStart(ctx context.Context, pool *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	const slow = 5 * time.Second
	return context.WithValue(ctx, acquiring{}, time.AfterFunc(slow, func() { w.warn(pool) }))
}

// TraceAcquireEnd is called by pgxpool when the test has the connection, or has given up.
func (w *waits) TraceAcquireEnd(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireEndData) {
	if timer, ok := ctx.Value(acquiring{}).(*time.Timer); ok {
		timer.Stop()
	}
}

// TraceQueryStart does nothing: a tracer must have it.
func (w *waits) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

// TraceQueryEnd does nothing: a tracer must have it.
func (w *waits) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// warn names the connections in use, unless the test waits for others: then the budget warns.
func (w *waits) warn(pool *pgxpool.Pool) {
	most := pool.Config().MaxConns
	if pool.Stat().AcquiredConns() < most {
		return
	}
	w.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		w.cell.pool.cluster.warn(fmt.Sprintf("%s waits for a connection of its own pool, and has all %d in use: %s; "+
			"end transactions, close rows, call Release", w.cell, most, w.cell.inUse(ctx)))
	})
}

// inUse describes the connections of the test that has the cell.
func (c *cell) inUse(ctx context.Context) string {
	c.mu.Lock()
	name := c.name
	c.mu.Unlock()
	// A client that has not read all rows of a statement keeps it active.
	const find = "SELECT format('process %s %s, last statement %s', pid, state, to_json(left(query, 100))) FROM pg_stat_activity" +
		" WHERE datname = $1 AND usename <> $2 AND state IS NOT NULL ORDER BY state_change LIMIT 20"
	rows, err := c.pool.cluster.admin.Query(ctx, find, name, AdminRole)
	if err != nil {
		return err.Error()
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err.Error()
	}
	return strings.Join(all, "; ")
}
