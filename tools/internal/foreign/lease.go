package foreign

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/conns"
	"github.com/pgcell/pgcell/tools/internal/dump"
	"github.com/pgcell/pgcell/tools/internal/external"
)

// Lease is a test's right to one cell, until Return or Keep. Its methods may be called concurrently.
type Lease struct {
	server *Server
	name   string
	test   string
	waited time.Duration

	mu     sync.Mutex
	places []func() // give its connections back
	pool   *pgxpool.Pool
	own    map[*pgx.Conn]func() // free the places of Connect's connections
	stops  []func()             // before the cell is given back
	gone   bool
}

// Name is the database's name.
func (l *Lease) Name() string { return l.name }

// URL is how any client connects. The password is in it if it is in the server's URL.
func (l *Lease) URL() string { return external.URL(l.server.config.URL, l.name) }

// Config is a new configuration of a connection to URL.
func (l *Lease) Config() *pgx.ConnConfig { return l.server.ConnConfig(l.name) }

// Made tells how the cell came to be.
func (l *Lease) Made() string { return "cloned" }

// Waited is how long Take waited for other tests.
func (l *Lease) Waited() time.Duration { return l.waited }

// Pool gives the cell's pool, of at most 4 connections; after Return, a closed one.
func (l *Lease) Pool() *pgxpool.Pool {
	pool, _ := l.WidePool()
	return pool
}

// WidePool gives the same pool as Pool: the server's connections are not this process's alone. It never fails.
func (l *Lease) WidePool() (*pgxpool.Pool, error) { return l.OwnPool(func(*pgxpool.Config) {}) }

// OwnPool gives the cell's pool. If it is not open yet, adjust may change its configuration.
//
// Errors: that of [pgxpool.NewWithConfig]; [*external.FullError] if it wants more connections than there are.
func (l *Lease) OwnPool(adjust func(*pgxpool.Config)) (*pgxpool.Pool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pool != nil {
		return l.pool, nil
	}
	config, err := pgxpool.ParseConfig("host=/") // all of it comes from ConnConfig
	if err != nil {
		return nil, err
	}
	config.ConnConfig, config.MaxConns = l.Config(), perCell
	adjust(config)
	if err := l.hold(context.Background(), int(config.MaxConns)-perCell); err != nil {
		return nil, err
	}
	l.pool, err = pgxpool.NewWithConfig(context.Background(), config)
	if err == nil && l.gone {
		l.pool.Close()
	}
	return l.pool, err
}

// hold takes connections beyond those that each cell has. Call it with the lock held.
func (l *Lease) hold(ctx context.Context, n int) error {
	if n <= 0 || l.gone {
		return nil
	}
	release, err := l.server.Hold(ctx, external.Places{Who: l.test, N: n, Holder: true})
	if err == nil {
		l.places = append(l.places, release)
	}
	return err
}

// Before has Return call stop first.
func (l *Lease) Before(stop func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stops = append(l.stops, stop)
}

// Return drops the database, while the caller goes on. If no other test of the process has a cell, it waits for all drops.
// It gives no error; if a drop fails, it is tried again by the next process that starts.
func (l *Lease) Return() error {
	if l.letGo() {
		l.server.drop(l)
	}
	return nil
}

// Keep leaves the database on the server for a day.
func (l *Lease) Keep() {
	if !l.letGo() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := l.server.Keep(ctx, l.name); err != nil {
		l.server.config.Warn(l.server.explain("keep a cell", err).Error())
	}
	l.release()
	l.server.count(-1)
}

// letGo closes what the test had open. It reports whether it is the first to do so.
func (l *Lease) letGo() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return false
	}
	l.gone = true
	for _, stop := range slices.Backward(l.stops) {
		conns.Soon(stop)
	}
	if l.pool == nil {
		return true
	}
	conns.Soon(l.pool.Close)
	if left := l.pool.Stat().AcquiredConns(); left > 0 {
		l.server.config.Warn(fmt.Sprintf("test %s has not given %d connections back to the pool: end transactions, call Release or Close, or read "+
			"rows to their end", l.test, left))
	}
	return true
}

// release gives the connections back.
func (l *Lease) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, release := range l.places {
		release()
	}
	l.places = nil
}

// Connect connects to a cell that many tests share. It waits while the server has no connection left. Give the connection
// to Disconnect.
//
// Errors: those of [external.Server.Hold] and [pgx.ConnectConfig].
func (l *Lease) Connect(ctx context.Context) (*pgx.Conn, error) {
	release, err := l.server.Hold(ctx, external.Places{Who: l.test, N: 1})
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, l.Config())
	if err != nil {
		release()
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.own[conn] = release
	return conn, nil
}

// Disconnect closes a connection of Connect.
func (l *Lease) Disconnect(ctx context.Context, conn *pgx.Conn) {
	conn.Close(ctx)
	l.mu.Lock()
	release := l.own[conn]
	delete(l.own, conn)
	l.mu.Unlock()
	if release != nil {
		release()
	}
}

// FullMemory and ServerLog tell nothing: both are on the server's machine.
func (l *Lease) FullMemory() string { return "" }

// ServerLog is empty: see FullMemory.
func (l *Lease) ServerLog(int64) string { return "" }

// Dump writes the database as SQL that psql reads, by pg_dump: see [dump.Tool].
func (l *Lease) Dump(ctx context.Context, w io.Writer, limit int64) error {
	return dump.Tool(ctx, w, limit, l.name, l.server.PublicURL(l.name), l.Config().Password)
}
