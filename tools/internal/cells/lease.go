package cells

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/conns"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/session"
)

// Request says what a test wants of [Cluster.Take].
type Request struct {
	Test string // who asks, for messages
	// Name of the database; "" takes one that [Config.NewName] gave.
	Name string
	// Empty asks for a database without anything in it.
	Empty bool
	// New asks for a database that nobody has used, and that nobody uses again.
	New bool
	// Holding tells that the test has a cell already, or one that waits for it has: then it need not wait for another
	// test to give one back.
	Holding bool
	// Shared tells that the cell serves many tests, or none: nobody waits for its end.
	Shared bool
}

// Lease is a test's right to one cell, until Return. Its methods may be called concurrently.
type Lease struct {
	cell   *cell
	name   string
	url    string
	test   string
	made   string
	waited time.Duration
	once   bool // nobody is to use the cell again
	shared bool
	since  int64 // size of the server's log when the test got the cell

	mu     sync.Mutex
	places []func() // give its connections back to the budget
	narrow bool     // the test has Pool's
	wide   *pgxpool.Pool
	own    []func()      // close what cannot serve another test
	gone   *pgxpool.Pool // what Pool gives after Return
}

// Take gives a cell: a clone of the template, or an empty database. Cost: below 0.1 ms where one is ready, else 15 to
// 60 ms on memory, by machine. It waits where other tests have all connections of the server, and tells Config.Warn if
// that takes 5 s; but a test that has a cell already does not wait.
//
// Errors name the cell, and tell if the server has ended; [*budget.FullError].
func (c *Cluster) Take(ctx context.Context, r Request) (l *Lease, err error) {
	if err := c.server.Fit(); err != nil {
		return nil, fmt.Errorf("take a cell: %w", err)
	}
	var place func()
	start := time.Now()
	if r.Holding || r.Shared {
		place, err = c.connections.Try(r.Test, connsPerCell)
	} else {
		place, err = c.connections.Take(ctx, r.Test, connsPerCell)
	}
	if err != nil {
		return nil, fmt.Errorf("take a cell: %w", err)
	}
	waited := time.Since(start)
	p := &c.cloned
	if r.Empty {
		p = &c.empty
	}
	cell, err := p.take(ctx, r.New)
	if err == nil {
		err = c.server.Fit() // it may have turned out now that the server crashed
		if err == nil && r.Name != "" {
			err = cell.rename(ctx, r.Name)
		}
		if err != nil {
			c.behind(func() { p.discardCell(cell) })
		}
	}
	if err != nil || r.Shared { // that of many tests, or of none, is nobody's whose end is waited for
		p.left()
	}
	if err != nil {
		place()
		return nil, c.server.Explain("take a cell", err)
	}
	cell.conns.Serve(r.Test)
	name := cell.conns.Name()
	return &Lease{
		cell: cell, name: name, url: c.server.URL(golden.Role, name), test: r.Test, made: cell.made, waited: waited,
		once: r.New, shared: r.Shared, since: c.server.LogSize(), places: []func(){place},
	}, nil
}

// more takes places for connections beyond those that each cell has. Call it with the lock held.
func (l *Lease) more(n int) error {
	place, err := l.cell.pool.cluster.connections.Try(l.test, n)
	if err == nil {
		l.places = append(l.places, place)
	}
	return err
}

// release gives all places back.
func (l *Lease) release() {
	for _, place := range l.places {
		place()
	}
}

// Name is the database's name.
func (l *Lease) Name() string { return l.name }

// URL is how the cell's role connects.
func (l *Lease) URL() string { return l.url }

// Config is a new configuration of a connection to URL.
func (l *Lease) Config() *pgx.ConnConfig {
	return l.cell.pool.cluster.server.ConnConfig(golden.Role, l.name)
}

// Made tells how the cell came to be: "cloned" or "recycled".
func (l *Lease) Made() string { return l.made }

// Waited is how long Take waited for other tests to give their cells back.
func (l *Lease) Waited() time.Duration { return l.waited }

// Pool gives the cell's pool, of at most 4 connections, which Return closes; after Return, a closed one.
func (l *Lease) Pool() *pgxpool.Pool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone != nil {
		return l.gone
	}
	l.narrow = true
	return l.cell.ready
}

// WidePool gives another pool, of at most 16 connections, which Return closes; the same at each call. After Return, a
// closed one.
//
// Errors: [*budget.FullError].
func (l *Lease) WidePool() (*pgxpool.Pool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone != nil {
		return l.gone, nil
	}
	if l.wide != nil {
		return l.wide, nil
	}
	if err := l.more(wide); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if !l.narrow { // the sessions at rest are in a pool that the test does not use: they serve this one
		l.cell.conns.Collect(l.cell.ready)
	}
	var err error
	if l.wide, err = l.cell.conns.Pool(ctx, wide); err == nil && !l.narrow {
		err = l.cell.prepare(ctx)
	}
	return l.wide, err
}

// OwnPool gives a pool that adjust has changed, and whose connections therefore serve no other test; Return closes it.
//
// Errors: that of [pgxpool.NewWithConfig]; [*budget.FullError].
func (l *Lease) OwnPool(adjust func(*pgxpool.Config)) (*pgxpool.Pool, error) {
	config := l.cell.conns.Config(func(c *pgxpool.Config) {
		c.MaxConns = narrow
		adjust(c)
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.more(max(0, int(config.MaxConns)-narrow)); err != nil { // a test with a pool of its own need not use Pool's
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err == nil {
		l.own = append(l.own, pool.Close)
	}
	return pool, err
}

// Before has Return call stop first, and wait for it a little.
func (l *Lease) Before(stop func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.own = append(l.own, stop)
}

// Return takes the cell back. It is made ready for another test, or dropped, while the caller goes on. If no other test
// has a cell, Return waits until this one is ready, so that tests which run one after another have no transaction of
// pgcell's beside theirs; only a drop goes on. Connections that the test has not given back to its pools are told about.
//
// Errors: under [Verify], which waits, what differs from a new clone.
func (l *Lease) Return() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	sessions := l.letGo()
	ours := session.PIDs(sessions)
	p, c := l.cell.pool, l.cell.pool.cluster
	p.returned(l.shared)
	takeBack := func() (drop func(), wrong error) {
		reason, wrong := p.takeBack(l.cell, sessions, l)
		c.tidy(reason != "")
		return func() {
			if reason != "" {
				p.dropReturned(l.cell, l.test, ours)
			}
			l.release() // not earlier: the cell's connections count until then
		}, wrong
	}
	if c.config.Recycle != Verify && (c.cloned.inUse() || c.empty.inUse()) {
		c.behind(func() {
			drop, _ := takeBack()
			drop()
		})
		return nil
	}
	drop, wrong := takeBack()
	c.behind(drop)
	return wrong
}

// letGo closes the test's pools and gives the sessions that rested in them. Call it once, with the lock held.
func (l *Lease) letGo() []*session.Session {
	c := l.cell
	for _, stop := range l.own {
		conns.Soon(stop)
	}
	l.gone = c.ready
	left := c.conns.Collect(c.ready)
	c.ready = nil
	if l.wide != nil {
		left += c.conns.Collect(l.wide)
	}
	if left > 0 {
		what := "a connection"
		if left > 1 {
			what = fmt.Sprintf("%d connections", left)
		}
		c.pool.cluster.warn(fmt.Sprintf("test %s has not given %s back to the pool: end transactions, call Release or Close, "+
			"or read rows to their end", l.test, what))
	}
	c.conns.Serve("")
	c.conns.CutOff()
	return c.conns.Rest()
}

// Connect gives a connection to a cell that many tests share. Give it back to Disconnect.
//
// Errors: those of [pgx.ConnectConfig].
func (l *Lease) Connect(ctx context.Context) (*pgx.Conn, error) { return l.cell.conns.Connect(ctx) }

// Disconnect closes a connection of Connect. Its session serves the next one if it can be made like new.
func (l *Lease) Disconnect(ctx context.Context, conn *pgx.Conn) {
	l.cell.conns.Disconnect(ctx, conn, l.cell.pool.facts.Cold == "", narrow)
}
