package cells

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/conns"
	"github.com/pgcell/pgcell/tools/internal/renew"
	"github.com/pgcell/pgcell/tools/internal/session"
)

// cell is one database, through all the tests that it serves. See the package comment for who may change its fields.
type cell struct {
	pool     *pool
	database renew.Database
	conns    *conns.Set     // knows the database's name, another one for each test
	made     string         // how it came to be ready: see [Lease.Made]
	cleaner  *renew.Cleaner // nil until it is needed
	ready    *pgxpool.Pool  // the next test's
}

// prepare makes what the next test needs and needs time to make: its pool, with the sessions in it that rest.
func (c *cell) prepare(ctx context.Context) (err error) {
	c.ready, err = c.conns.Pool(ctx, narrow)
	return err
}

// warm opens the connection that the next test will want.
func (c *cell) warm(ctx context.Context) error {
	conn, err := c.ready.Acquire(ctx)
	if err != nil {
		return err
	}
	conn.Release()
	return nil
}

// rename gives a cell that nobody has a name of its user's.
func (c *cell) rename(ctx context.Context, name string) error {
	if err := c.pool.cluster.clones.Rename(ctx, &c.database, name); err != nil {
		return err
	}
	c.conns.Collect(c.ready)
	c.conns.Rename(name)
	return c.prepare(ctx)
}

// alive reports whether a ready cell's connections stand.
func (c *cell) alive() bool {
	return (c.cleaner == nil || session.Quiet(c.cleaner.NetConn())) && c.conns.Alive()
}

// close ends all connections that are the cell's own.
func (c *cell) close() {
	c.leave()
	if c.ready != nil {
		c.ready.Close()
		c.ready = nil
	}
}

// leave ends all sessions of pgcell's in a cell, such as one whose test may copy or drop it.
func (c *cell) leave() {
	session.CloseAll(c.conns.Rest())
	if c.cleaner != nil {
		c.cleaner.Close()
		c.cleaner = nil
	}
}

// choose keeps those of a test's sessions that can serve another, and ends the rest. reason says why the cell is
// dropped.
func (c *cell) choose(sessions []*session.Session) (own []*session.Session, reason string) {
	for _, s := range sessions {
		if s.Changed() {
			reason = "a statement that changes catalogs"
		}
	}
	for _, s := range sessions {
		if len(own) == resting || c.pool.facts.Cold != "" || reason != "" || s.Doubt() != "" {
			s.Close()
			continue
		}
		own = append(own, s)
	}
	return own, reason
}

// retire ends a test's time with the cell and makes it like new. reason says why that cannot be done, or must not: the
// cell is to be dropped.
func (c *cell) retire(ctx context.Context, sessions []*session.Session, test string) (reason string) {
	ours := session.PIDs(sessions)
	p := c.pool
	if reason = p.discard(); reason != "" {
		session.CloseAll(sessions)
		return reason
	}
	own, reason := c.choose(sessions)
	c.conns.Keep(own)
	if reason != "" {
		return reason
	}
	if c.cleaner == nil {
		var err error
		if c.cleaner, err = p.connectCleaner(ctx, c.conns.Name()); err != nil {
			return "connect to the cell: " + err.Error()
		}
	}
	if err := session.Reset(ctx, own); err != nil {
		return err.Error()
	}
	reason, err := c.restore(ctx, test, session.PIDs(own), ours)
	if err != nil {
		if conns.Broken(err) {
			p.cluster.server.CheckCrash(ctx)
		}
		return err.Error()
	}
	return reason
}

// connectCleaner connects to a clone.
func (p *pool) connectCleaner(ctx context.Context, database string) (*renew.Cleaner, error) {
	return renew.Connect(ctx, p.cluster.server.OwnConfig(AdminRole, database).ConnConfig, p.renewed)
}

// restore gives the cell its next name, and has what the test left taken away. reason says why that cannot be done.
func (c *cell) restore(ctx context.Context, test string, own, ours []uint32) (reason string, err error) {
	cluster := c.pool.cluster
	name := cluster.newName()
	tell := func(ended []renew.Leftover) { cluster.tell(test, ended, ours) }
	renamed, reason, err := c.cleaner.Renew(ctx, &c.database, name, own, tell)
	if renamed {
		c.conns.Rename(name)
		cluster.clones.Renamed(ctx)
	}
	if reason == renew.Crashed {
		cluster.server.Crashed()
	}
	return reason, err
}

// nameSessions tells of the sessions in a cell that is about to be dropped, which ends them, but for ours.
func (c *cell) nameSessions(ctx context.Context, test string, ours []uint32) {
	cluster := c.pool.cluster
	if c.cleaner != nil {
		ours = append(ours, c.cleaner.PID())
	}
	c.close()
	rows, _ := cluster.server.Admin.Query(ctx, "SELECT pid FROM pg_stat_get_activity(NULL) WHERE datid = $1", c.database.OID)
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int]) // has Query's error
	if err != nil || len(pids) == 0 {
		return // dropping the cell tells
	}
	if ended, err := renew.Outlast(ctx, cluster.server.Admin, pids); err == nil {
		cluster.tell(test, ended, ours)
	}
}

// tell warns of sessions that a test has left, but for those of our own, which may take their time to end.
func (c *Cluster) tell(test string, ended []renew.Leftover, ours []uint32) {
	for _, one := range ended {
		if !slices.Contains(ours, one.PID) {
			c.warn(fmt.Sprintf("test %s left a session, which was ended: %s", test, one.Says))
		}
	}
}

// verify compares a cell with a new clone of its template.
//
// Errors: one that names what differs.
func (c *cell) verify(ctx context.Context) error {
	reference, err := c.pool.asCloned(ctx)
	if err != nil {
		return fmt.Errorf("verify cell %s: %w", c.conns.Name(), err)
	}
	d, err := c.cleaner.Differences(ctx, reference)
	if err != nil {
		return fmt.Errorf("verify cell %s: %w", c.conns.Name(), err)
	}
	if len(d) > 0 {
		return fmt.Errorf("verify cell %s: after recycling it differs from a new clone in %s", c.conns.Name(), strings.Join(d, ", "))
	}
	return nil
}

// asCloned gives what a new clone is like. It looks once.
func (p *pool) asCloned(ctx context.Context) (*renew.Reference, error) {
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
	cleaner, err := p.connectCleaner(ctx, c.conns.Name())
	if err != nil {
		return nil, err
	}
	defer cleaner.Close()
	p.reference.of, err = cleaner.Reference(ctx)
	return p.reference.of, err
}
