package cells

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

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
	cell    *cell
	name    string
	url     string
	test    string
	made    string
	waited  time.Duration
	release func()
	shared  bool
	since   int64 // size of the server's log when the test got the cell

	mu     sync.Mutex
	once   bool // nobody is to use the cell again
	narrow bool // the test has Pool's
	wide   *pgxpool.Pool
	others []*pgxpool.Pool // of OwnPool
	own    []func()        // close what cannot serve another test
	gone   *pgxpool.Pool   // what Pool gives after Return
}

// Take gives a cell: a clone of the template, or an empty database. Cost: below 0.1 ms where one is ready, else 15 to
// 60 ms on memory, by machine. It waits where more tests have cells than the server has connections for, and tells
// Config.Warn if that takes 5 s.
//
// Errors name the cell, and tell if the server has ended.
func (c *Cluster) Take(ctx context.Context, r Request) (*Lease, error) {
	if err := c.fit(); err != nil {
		return nil, fmt.Errorf("take a cell: %w", err)
	}
	key := &tester{r.Test}
	var release func()
	var waited time.Duration
	if r.Holding || r.Shared {
		release = c.leases.Force(key)
	} else {
		var err error
		start := time.Now()
		if release, err = c.leases.Take(ctx, key); err != nil {
			return nil, fmt.Errorf("take a cell: %w", err)
		}
		waited = time.Since(start)
	}
	p := &c.cloned
	if r.Empty {
		p = &c.empty
	}
	cell, err := p.take(ctx, r.New)
	if err == nil {
		if err = c.fit(); err != nil { // it has turned out now that the server crashed
			p.left()
			c.behind(func() { p.discardCell(cell) })
		}
	}
	if err == nil && r.Name != "" {
		if err = cell.rename(ctx, r.Name); err != nil {
			p.left()
		}
	}
	if err != nil {
		release()
		return nil, c.explain("take a cell", err)
	}
	if r.Shared { // it is no test's, and none is to wait for its end
		p.left()
	}
	l := &Lease{
		cell: cell, name: cell.name, url: cell.url(golden.Role), test: r.Test, made: cell.made,
		waited: waited, release: release, once: r.New, shared: r.Shared, since: c.server.LogSize(),
	}
	cell.mu.Lock()
	cell.test, cell.lease = r.Test, l
	cell.mu.Unlock()
	return l, nil
}

// tester holds a place among the leases.
type tester struct{ test string }

func (t *tester) Test() string   { return t.test }
func (t *tester) String() string { return t.test }

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
func (l *Lease) WidePool() (*pgxpool.Pool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone != nil {
		return l.gone, nil
	}
	if l.wide != nil {
		return l.wide, nil
	}
	c := l.cell
	if l.narrow {
		unused := c.takeUnused(c.ready)
		c.mu.Lock()
		c.sessions = append(c.sessions, unused...)
		c.mu.Unlock()
	} else if err := c.unprepare(); err != nil { // it may have its sessions
		return nil, err
	}
	var err error
	if l.wide, err = c.openPool(wide); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return l.wide, c.fill(ctx, l.wide)
}

// OwnPool gives a pool that adjust has changed, and whose connections therefore serve no other test; Return closes it.
//
// Errors: that of [pgxpool.NewWithConfig].
func (l *Lease) OwnPool(adjust func(*pgxpool.Config)) (*pgxpool.Pool, error) {
	config := l.cell.pool.cluster.server.PoolConfig(golden.Role, l.name)
	config.MaxConns = narrow
	config.ConnConfig.Tracer = &waits{cell: l.cell}
	adjust(config)
	before := config.BeforeConnect
	config.BeforeConnect = func(ctx context.Context, one *pgx.ConnConfig) error {
		if before != nil {
			if err := before(ctx, one); err != nil {
				return err
			}
		}
		l.cell.dial(one)
		return nil
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.own, l.others = append(l.own, pool.Close), append(l.others, pool)
	return pool, nil
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
	p := l.cell.pool
	p.returned(l.shared)
	verify := p.cluster.config.Recycle == Verify
	if !verify && (p.cluster.cloned.inUse() || p.cluster.empty.inUse()) {
		p.cluster.behind(func() {
			drop, _ := p.takeBack(l.cell, sessions, l.test, l.once)
			p.cluster.dropStrays()
			drop()
			l.release() // not earlier: the cell's connections count until then
		})
		return nil
	}
	drop, wrong := p.takeBack(l.cell, sessions, l.test, l.once)
	p.cluster.dropStrays()
	finish := func() {
		drop()
		l.release()
	}
	if verify {
		finish()
	} else {
		p.cluster.behind(finish)
	}
	return wrong
}

// letGo closes the test's pools and gives the sessions that rested in them. Call it once, with the lock held.
func (l *Lease) letGo() []*session.Session {
	c := l.cell
	for _, stop := range l.own {
		Soon(stop)
	}
	l.gone, c.pooled = c.ready, c.used()
	sessions, left := c.idle(c.ready)
	c.ready = nil
	if l.wide != nil {
		more, also := c.idle(l.wide)
		sessions, left = append(sessions, more...), left+also
	}
	if left > 0 {
		what := "a connection"
		if left > 1 {
			what = fmt.Sprintf("%d connections", left)
		}
		c.pool.cluster.warn(fmt.Sprintf("test %s has not given %s back to the pool: end transactions, call Release or Close, "+
			"or read rows to their end", l.test, what))
	}
	c.mu.Lock()
	sessions = append(sessions, c.sessions...)
	c.sessions = nil
	c.test, c.lease = "", nil
	c.mu.Unlock()
	c.cutOff()
	return sessions
}

// rename gives a cell that nobody has a name of its user's.
func (c *cell) rename(ctx context.Context, name string) error {
	cluster := c.pool.cluster
	err := cluster.admin.QueryRow(ctx, "UPDATE pg_database SET datname = $1 WHERE oid = $2 AND xmin::text = $3 RETURNING xmin::text",
		name, c.database.OID, c.database.Version).Scan(&c.database.Version)
	if err != nil {
		cluster.behind(func() { c.pool.discardCell(c) })
		return fmt.Errorf("name cell %s: %w", name, err)
	}
	c.name = name
	if err := c.unprepare(); err != nil {
		return err
	}
	c.ready.Close()
	return c.prepare(ctx)
}
