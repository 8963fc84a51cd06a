package conns

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// waits tells of a test that waits for a connection of its own pool while it holds all of them. It is the pool's tracer,
// of which pgxpool takes [pgxpool.AcquireTracer].
type waits struct {
	set  *Set
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

// warn names the connections in use.
func (w *waits) warn(pool *pgxpool.Pool) {
	most := pool.Config().MaxConns
	if pool.Stat().AcquiredConns() < most {
		return
	}
	w.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		w.set.mu.Lock()
		test, name := w.set.test, w.set.name
		w.set.mu.Unlock()
		w.set.server.Warn(fmt.Sprintf("%s waits for a connection of its own pool, and has all %d in use: %s; "+
			"end transactions, close rows, call Release", test, most, w.set.server.inUse(ctx, name)))
	})
}

// inUse describes the connections of tests to a database.
func (s *Server) inUse(ctx context.Context, database string) string {
	// A client that has not read all rows of a statement keeps it active.
	const find = "SELECT format('process %s %s, last statement %s', pid, state, to_json(left(query, 100))) FROM pg_stat_activity" +
		" WHERE datname = $1 AND usename <> $2 AND state IS NOT NULL ORDER BY state_change LIMIT 20"
	rows, _ := s.Admin.Query(ctx, find, database, golden.Superuser) // CollectRows gives its error
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err.Error()
	}
	return strings.Join(all, "; ")
}
