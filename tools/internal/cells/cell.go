package cells

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// Connections of one cell's pools.
const (
	narrow  = 4  // of Cell.Pool
	wide    = 16 // of Cell.DB, whose users expect no limit at all
	resting = 2  // that stay with a cell between tests
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
	made     string        // how it came to be ready: see [Lease.Made]

	mu       sync.Mutex
	sessions []*session // at rest, waiting for a pool
	test     string     // that has it; "" while none has
	lease    *Lease     // of that test
	ready    *pgxpool.Pool
	moved    []*session    // in ready
	woken    []uint32      // processes of sessions that served a pool since prepare
	taps     map[*tap]bool // all connections of the cell's that are open
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

// prepare makes what the next test needs and needs time to make: its pool, with a session in it where one rests.
func (c *cell) prepare(ctx context.Context) error {
	pool, err := c.openPool(narrow)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.ready, c.moved, c.woken = pool, slices.Clone(c.sessions), nil
	c.mu.Unlock()
	return c.fill(ctx, pool)
}

// handing marks the context of who asks a pool for the sessions at rest. A pool that a test makes of the configuration
// of its cell's has the same hooks, but connections of its own.
type handing struct{}

// fill moves the sessions that rest into a pool.
func (c *cell) fill(ctx context.Context, pool *pgxpool.Pool) error {
	ctx = context.WithValue(ctx, handing{}, true)
	c.mu.Lock()
	n := len(c.sessions)
	c.mu.Unlock()
	for range n {
		conn, err := pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release() // when all are there, else the first would come again
	}
	return nil
}

// unprepare takes a session out of a pool that nobody has used yet.
func (c *cell) unprepare() error {
	found, _ := idle(c.ready)
	pool, err := c.openPool(narrow)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready, c.moved = pool, nil
	c.sessions = append(c.sessions, found...)
	return err
}

// openPool gives a pool whose connections come from those at rest, and go back to them.
func (c *cell) openPool(most int32) (*pgxpool.Pool, error) {
	config := c.pool.cluster.server.PoolConfig(golden.Role, c.name)
	config.MaxConns, config.ConnConfig.Tracer = most, &waits{cell: c}
	config.BeforeConnect = func(ctx context.Context, cc *pgx.ConnConfig) error {
		if s := c.wake(ctx); s != nil {
			g := newGreeting(s)
			// What the session brings along need not be made.
			cc.StatementCacheCapacity, cc.DescriptionCacheCapacity, cc.ConnectTimeout = 0, 0, 0
			cc.DialFunc = func(context.Context, string, string) (net.Conn, error) { return g, nil }
		} else {
			c.limit(cc)
		}
		cc.AfterNetConnect = func(_ context.Context, config *pgconn.Config, conn net.Conn) (net.Conn, error) {
			switch conn := conn.(type) {
			case *greeting:
				conn.config = config
			case *tap:
				conn.config = config
			}
			return conn, nil
		}
		return nil
	}
	config.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		if g, ok := conn.PgConn().Conn().(*greeting); ok {
			g.session.moveTo(conn, g.config)
		}
		return nil
	}
	return pgxpool.NewWithConfig(context.Background(), config)
}

// limit has a connection wait for its place in the server's, and taps it.
func (c *cell) limit(config *pgx.ConnConfig) {
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		release, err := c.pool.cluster.connections.Take(ctx, c)
		if err != nil {
			return nil, err
		}
		c.pool.cluster.awaitRoom(ctx, c)
		conn, err := dial(ctx, network, address)
		if err != nil {
			release()
			if down := c.pool.cluster.server.Err(); down != nil {
				err = down
			}
			return nil, err
		}
		t := &tap{Conn: conn}
		t.release = func() {
			release()
			c.mu.Lock()
			defer c.mu.Unlock()
			delete(c.taps, t)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.taps[t] = true
		return t, nil
	}
}

// cutOff closes connections that a test has not given back to their pool: nobody else would, they hold places, and a
// process that writes to a client which does not read keeps all databases from being dropped. The cell's own sessions
// stay, and those in keep.
func (c *cell) cutOff(keep ...*session) {
	c.mu.Lock()
	var lost []*tap
	for t := range c.taps {
		lost = append(lost, t)
	}
	for _, s := range slices.Concat(c.sessions, c.moved, keep) {
		if i := slices.Index(lost, s.tap); i >= 0 {
			lost = slices.Delete(lost, i, i+1)
		}
	}
	c.mu.Unlock()
	for _, t := range lost {
		t.Close()
	}
}

// wake takes a session that rests, if there is one, for [cell.fill].
func (c *cell) wake(ctx context.Context) *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.sessions)
	if n == 0 || ctx.Value(handing{}) == nil {
		return nil
	}
	s := c.sessions[n-1]
	c.sessions = c.sessions[:n-1]
	c.woken = append(c.woken, s.pid())
	return s
}

// warm opens the session that the next test will want.
func (c *cell) warm(ctx context.Context) error {
	conn, err := c.ready.Acquire(ctx)
	if err != nil {
		return err
	}
	conn.Release()
	if err := c.unprepare(); err != nil {
		return err
	}
	c.ready.Close()
	return c.prepare(ctx)
}

// shed ends the sessions at rest, to make place for others.
func (c *cell) shed() {
	c.mu.Lock()
	sessions := c.sessions
	c.sessions = nil
	c.mu.Unlock()
	for _, s := range sessions {
		s.end()
	}
}

// close ends all connections that are the cell's own.
func (c *cell) close() {
	c.shed()
	if c.ready != nil {
		c.ready.Close()
		c.ready, c.moved = nil, nil
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
func (c *cell) retire(ctx context.Context, sessions []*session, test string, ours []uint32) (reason string) {
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
	if err := resetAll(ctx, own, p.reset()); err != nil {
		return "reset sessions: " + err.Error()
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

// choose keeps those of a test's sessions that can serve another, and ends the rest. reason says why the cell is
// dropped.
func (c *cell) choose(sessions []*session) (own []*session, reason string) {
	for _, s := range sessions {
		if s.tap.seen().ddl {
			reason = "a statement that changes catalogs"
		}
	}
	for _, s := range sessions {
		if len(own) == resting || c.pool.facts.Cold != "" || reason != "" || s.doubt() != "" {
			s.end()
			continue
		}
		own = append(own, s)
	}
	return own, reason
}

// resetAll makes sessions as they were when they were opened.
func resetAll(ctx context.Context, sessions []*session, sql string) (err error) {
	results := make([]*pgconn.MultiResultReader, len(sessions))
	for i, s := range sessions {
		results[i] = s.conn.PgConn().Exec(ctx, sql)
	}
	for i, s := range sessions {
		if _, failed := results[i].ReadAll(); failed != nil {
			err = failed
		}
		s.forget()
	}
	return err
}

func endAll(sessions []*session) {
	for _, s := range sessions {
		s.end()
	}
}

// restore gives the cell its next name, looks at what the test has left, and takes it away. reason says why that cannot
// be done.
func (c *cell) restore(ctx context.Context, test string, ours []uint32) (reason string, err error) {
	p := c.pool
	var pids []uint32
	for _, s := range c.sessions {
		pids = append(pids, s.pid())
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
