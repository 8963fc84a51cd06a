package cells

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/session"
)

// cell is one database, through all the tests that it serves.
type cell struct {
	pool *pool
	identity
	name string // changes with each test

	warden   *warden       // nil until it is needed
	seen     sight         // when the last test had gone
	dead     map[int]int64 // bytes of a table that dead rows take
	restored map[int]int64 // tables whose seeds were put back, with the first transaction after that
	classes  int64         // rows of pg_class that the warden has updated: see putBackClasses
	pooled   bool          // the last test used its pools
	made     string        // how it came to be ready: see [Lease.Made]

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
	c.dismissWarden()
}

// leave ends all sessions of pgcell's in a cell whose test may copy or drop it.
func (c *cell) leave() {
	c.shed()
	c.dismissWarden()
}

// dismissWarden ends the warden's connection; needWarden makes another.
func (c *cell) dismissWarden() {
	c.mu.Lock()
	w := c.warden
	c.warden = nil
	c.mu.Unlock()
	if w != nil {
		w.close()
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
	if reason = c.needWarden(ctx); reason != "" {
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

// needWarden connects the cell's warden, unless it is.
func (c *cell) needWarden(ctx context.Context) (reason string) {
	if c.warden != nil {
		return ""
	}
	cluster := c.pool.cluster
	place := cluster.connections.Try(c)
	if place == nil {
		return "no connection to spare"
	}
	w, err := newWarden(ctx, c.name, cluster, c.pool.facts)
	if err != nil {
		place()
		return "no warden: " + err.Error()
	}
	w.release, w.restored = place, c.restored
	c.warden = w
	return ""
}

// restore gives the cell its next name, looks at what the test has left, and takes it away. reason says why that cannot
// be done.
func (c *cell) restore(ctx context.Context, test string, ours []uint32) (reason string, err error) {
	p := c.pool
	var pids []uint32
	for _, s := range c.sessions {
		pids = append(pids, s.PID())
	}
	name, done, taken := p.cluster.newName(), p.usual(), takings{}
	xmin, now, err := c.warden.sweep(ctx, c, name, pids, done, taken)
	if xmin != "" { // it has the new name, whatever came after that
		c.mu.Lock()
		c.name, c.xmin = name, xmin
		c.mu.Unlock()
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("rename and look: %w", err)
	case xmin == "":
		return "the database was altered", nil
	}
	p.cluster.renamed()
	if now == nil {
		done = work{}
		if now, reason, err = c.calm(ctx, pids, test, ours); now == nil {
			return reason, err
		}
	}
	if reason, err := c.judge(ctx, now); reason != "" || err != nil {
		return reason, err
	}
	todo := now.plan(c)
	rest := todo.without(done)
	if err := c.warden.clean(ctx, rest, taken); err != nil {
		return "", err
	}
	rest.vacuum = c.stale(now, taken)
	if err := c.warden.vacuum(ctx, rest.vacuum); err != nil {
		return "", err
	}
	if reason, err := c.warden.ensureSeeds(ctx, rest.vacuum); reason != "" || err != nil {
		return reason, err
	}
	if reason, err := c.warden.grown(ctx, rest.vacuum); reason != "" || err != nil {
		return reason, err
	}
	written, err := c.warden.putBackClasses(ctx, rest.vacuum)
	if err != nil {
		return "", err
	}
	c.classes += written
	now.count(rest)
	c.seen = *now
	p.learn(todo)
	return "", nil
}

// judge says why a cell cannot be made like new.
func (c *cell) judge(ctx context.Context, now *sight) (reason string, err error) {
	cluster := c.pool.cluster
	switch {
	case now.counted != c.counted:
		cluster.crashed.Store(true)
		return "the server has crashed, and what was counted before is lost", nil
	case now.reset != c.reset || now.wentDown(&c.seen):
		return "counters were reset", nil
	case now.inTheWay > 0:
		return "a comment on the database, a prepared transaction or a replication slot", nil
	case now.unaccounted(c.classes):
		where, err := c.warden.changed(ctx)
		return "rows changed where they cannot be put back: " + where, err
	case now.rewrote:
		return "VACUUM or ANALYZE of a partitioned table, or of one with rows in the template", nil
	case now.grown():
		return "a table has grown large", nil
	case now.settings != cluster.manifest.Facts.Roles+c.pool.facts.Settings:
		if err := cluster.restoreRoles(ctx); err != nil {
			return "", fmt.Errorf("take back what a role was given: %w", err)
		}
		return "ALTER DATABASE SET or ALTER ROLE SET", nil
	case now.given != c.given:
		return "some test of the process has set a parameter of its database or role, and connections may have it", nil
	}
	return "", nil
}

// drop removes the database, with all that is connected to it.
func (c *cell) drop(ctx context.Context) error {
	c.close()
	c.cutOff()
	if err := c.pool.cluster.drop(ctx, c.name); err != nil {
		return err
	}
	c.pool.cluster.databases.forget(c.oid)
	return nil
}

// patience bounds what is done with a cell while no test waits for it.
const patience = 2 * time.Minute
