package cells

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/renew"
	"github.com/pgcell/pgcell/tools/internal/session"
)

// cell is one database, through all the tests that it serves.
type cell struct {
	pool     *pool
	database renew.Database
	name     string // changes with each test
	made     string // how it came to be ready: see [Lease.Made]
	pooled   bool   // the last test used its pools

	cleaner *renew.Cleaner // nil until it is needed
	place   func()         // gives the cleaner's place among the connections back

	mu       sync.Mutex
	sessions []*session.Session // at rest, waiting for a pool
	clients  map[*session.Session]*session.Conn
	test     string // that has it; "" while none has
	lease    *Lease // of that test
	ready    *pgxpool.Pool
	woken    []uint32 // processes of sessions that served a pool since prepare
}

func (c *cell) url(role string) string { return c.pool.cluster.server.URL(role, c.name) }

// Test names the test that has the cell; "" while none has.
func (c *cell) Test() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.test
}

// String names the test that has the cell, or the cell while none has.
func (c *cell) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return cmp.Or(c.test, c.name)
}

// close ends all connections that are the cell's own.
func (c *cell) close() {
	c.shed()
	if c.ready != nil {
		c.ready.Close()
		c.ready = nil
	}
	c.dismissCleaner()
}

// leave ends all sessions of pgcell's in a cell whose test may copy or drop it.
func (c *cell) leave() {
	c.shed()
	c.dismissCleaner()
}

// dismissCleaner ends the cleaner's connection; needCleaner makes another.
func (c *cell) dismissCleaner() {
	c.mu.Lock()
	cleaner, place := c.cleaner, c.place
	c.cleaner = nil
	c.mu.Unlock()
	if cleaner != nil {
		cleaner.Close()
		place()
	}
}

// retire ends a test's time with the cell and makes it like new. reason says why that cannot be done, or must not: the
// cell is to be dropped.
func (c *cell) retire(ctx context.Context, sessions []*session.Session, test string, ours []uint32) (reason string) {
	p := c.pool
	if reason = p.discard(); reason != "" {
		endAll(sessions)
		return reason
	}
	own, reason := c.choose(sessions)
	c.mu.Lock()
	c.sessions = own
	c.mu.Unlock()
	if reason != "" {
		return reason
	}
	if reason = c.needCleaner(ctx); reason != "" {
		return reason
	}
	if err := session.Reset(ctx, own); err != nil {
		return err.Error()
	}
	reason, err := c.restore(ctx, test, ours)
	if err != nil {
		if broken(err) {
			p.cluster.checkCrash(ctx)
		}
		return err.Error()
	}
	return reason
}

// needCleaner connects the cell's cleaner, unless it is.
func (c *cell) needCleaner(ctx context.Context) (reason string) {
	if c.cleaner != nil {
		return ""
	}
	place := c.pool.cluster.connections.Try(c)
	if place == nil {
		return "no connection to spare"
	}
	cleaner, err := c.pool.connectCleaner(ctx, c.name)
	if err != nil {
		place()
		return "connect to the cell: " + err.Error()
	}
	c.cleaner, c.place = cleaner, place
	return ""
}

// connectCleaner connects to a clone.
func (p *pool) connectCleaner(ctx context.Context, database string) (*renew.Cleaner, error) {
	return renew.Connect(ctx, p.cluster.server.OwnConfig(AdminRole, database).ConnConfig, p.renewed)
}

// restore gives the cell its next name, and has what the test left taken away. reason says why that cannot be done.
func (c *cell) restore(ctx context.Context, test string, ours []uint32) (reason string, err error) {
	cluster := c.pool.cluster
	var own []uint32
	for _, s := range c.sessions {
		own = append(own, s.PID())
	}
	name := cluster.newName()
	tell := func(ended []renew.Leftover) { cluster.tell(test, ended, ours) }
	renamed, reason, err := c.cleaner.Renew(ctx, &c.database, name, own, tell)
	if renamed {
		c.mu.Lock()
		c.name = name
		c.mu.Unlock()
		cluster.renamed()
	}
	if reason == renew.Crashed {
		cluster.crashed.Store(true)
	}
	return reason, err
}

// verify compares a cell with a new clone of its template.
//
// Errors: one that names what differs.
func (c *cell) verify(ctx context.Context) error {
	want, err := c.pool.asCloned(ctx)
	if err != nil {
		return fmt.Errorf("verify cell %s: %w", c.name, err)
	}
	got, err := c.cleaner.Fingerprint(ctx)
	if err != nil {
		return fmt.Errorf("verify cell %s: %w", c.name, err)
	}
	if d := renew.Differences(want, got); len(d) > 0 {
		return fmt.Errorf("verify cell %s: after recycling it differs from a new clone in %s", c.name, strings.Join(d, ", "))
	}
	return nil
}

// asCloned gives the fingerprint of a new clone, which it takes once.
func (p *pool) asCloned(ctx context.Context) (map[string]string, error) {
	p.reference.Lock()
	defer p.reference.Unlock()
	if p.reference.of != nil {
		return p.reference.of, nil
	}
	c, err := p.clone(ctx)
	if err != nil {
		return nil, err
	}
	defer p.discardCell(c)
	cleaner, err := p.connectCleaner(ctx, c.name)
	if err != nil {
		return nil, err
	}
	defer cleaner.Close()
	p.reference.of, err = cleaner.Fingerprint(ctx)
	return p.reference.of, err
}

// drop removes the database, with all that is connected to it.
func (c *cell) drop(ctx context.Context) error {
	c.close()
	c.cutOff()
	if err := c.pool.cluster.drop(ctx, c.name); err != nil {
		return err
	}
	c.pool.cluster.databases.forget(c.database.OID)
	return nil
}

// patience bounds what is done with a cell while no test waits for it.
const patience = 2 * time.Minute
