package cells

import (
	"context"
	"net"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/session"
)

// Connections of one cell's pools.
const (
	narrow  = 4  // of Cell.Pool
	wide    = 16 // of Cell.DB, whose users expect no limit at all
	resting = 2  // that stay with a cell between tests
)

// prepare makes what the next test needs and needs time to make: its pool, with the sessions in it that rest.
func (c *cell) prepare(ctx context.Context) error {
	pool, err := c.openPool(narrow)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.ready, c.woken = pool, nil
	c.mu.Unlock()
	return c.fill(ctx, pool)
}

// unprepare takes the sessions out of a pool that nobody has used yet.
func (c *cell) unprepare() error {
	found, _ := c.idle(c.ready)
	pool, err := c.openPool(narrow)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready = pool
	c.sessions = append(c.sessions, found...)
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

// waking marks the context of who asks for the sessions at rest. A pool that a test makes of the configuration of its
// cell's has the same hooks, but connections of its own.
type waking struct{}

// fill moves the sessions that rest into a pool.
func (c *cell) fill(ctx context.Context, pool *pgxpool.Pool) error {
	ctx = context.WithValue(ctx, waking{}, true)
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

// openPool gives a pool whose connections may use the sessions at rest.
func (c *cell) openPool(most int32) (*pgxpool.Pool, error) {
	config := c.pool.cluster.server.PoolConfig(golden.Role, c.name)
	config.MaxConns, config.ConnConfig.Tracer = most, &waits{cell: c}
	config.BeforeConnect = func(_ context.Context, one *pgx.ConnConfig) error {
		c.dial(one)
		return nil
	}
	return pgxpool.NewWithConfig(context.Background(), config)
}

// dial changes how one connection is made: by a session at rest, if the caller wakes them, else by a new one, which
// waits for its place in the server. What is dialed once the connection is there carries a cancel request.
func (c *cell) dial(config *pgx.ConnConfig) {
	open, keys := config.DialFunc, &c.pool.cluster.keys
	var there atomic.Bool
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if there.Load() {
			raw, err := open(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return keys.Open(raw, nil), nil
		}
		conn := c.wake(ctx, config)
		if conn == nil {
			var err error
			conn, err = c.connect(ctx, func() (net.Conn, error) { return open(ctx, network, address) })
			if err != nil {
				return nil, err
			}
		}
		there.Store(true)
		return conn, nil
	}
}

// connect opens a new session, once there is a place for it.
func (c *cell) connect(ctx context.Context, open func() (net.Conn, error)) (*session.Conn, error) {
	cluster := c.pool.cluster
	place, err := cluster.connections.Take(ctx, c)
	if err != nil {
		return nil, err
	}
	cluster.awaitRoom(ctx, c)
	raw, err := open()
	if err != nil {
		place()
		if down := cluster.server.Err(); down != nil {
			err = down
		}
		return nil, err
	}
	var s *session.Session
	conn := cluster.keys.Open(raw, func() {
		place()
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.clients, s)
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	s = conn.Session()
	c.clients[s] = conn
	return conn, nil
}

// wake gives a connection to a session that rests, if there is one, for [cell.fill] and [Lease.Connect].
func (c *cell) wake(ctx context.Context, config *pgx.ConnConfig) *session.Conn {
	if ctx.Value(waking{}) == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.sessions)
	if n == 0 || !c.sessions[n-1].Fits(config) {
		return nil
	}
	s := c.sessions[n-1]
	c.sessions = c.sessions[:n-1]
	c.woken = append(c.woken, s.PID())
	conn := s.Client(&c.pool.cluster.keys)
	c.clients[s] = conn
	return conn
}

// takeOut takes the session out of a client that nobody uses any more, and closes the client; nil if the session cannot
// go on.
func (c *cell) takeOut(conn *pgx.Conn) *session.Session {
	s, err := session.Take(context.Background(), conn)
	if err != nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.clients, s)
	return s
}

// takeUnused takes sessions out of a pool that a test has not used yet, all but one.
func (c *cell) takeUnused(pool *pgxpool.Pool) (unused []*session.Session) {
	for i, conn := range pool.AcquireAllIdle(context.Background()) {
		if client := session.Of(conn.Conn()); i == 0 || client == nil || !client.Unused() {
			defer conn.Release()
		} else if s := c.takeOut(conn.Hijack()); s != nil {
			unused = append(unused, s)
		}
	}
	return unused
}

// idle takes all sessions that rest in a pool out of it, and closes it. Those that a test has not given back end with
// their connection.
func (c *cell) idle(pool *pgxpool.Pool) (found []*session.Session, left int) {
	for _, conn := range pool.AcquireAllIdle(context.Background()) {
		if s := c.takeOut(conn.Hijack()); s != nil {
			found = append(found, s)
		}
	}
	return found, closePool(pool)
}

// used reports whether a client has sent anything.
func (c *cell) used() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.clients {
		if !conn.Unused() {
			return true
		}
	}
	return false
}

// cutOff closes connections that a test has not given back to their pool: nobody else would, they hold places, and a
// process that writes to a client which does not read keeps all databases from being dropped.
func (c *cell) cutOff() {
	c.mu.Lock()
	var lost []*session.Conn
	for _, conn := range c.clients {
		lost = append(lost, conn)
	}
	c.mu.Unlock()
	for _, conn := range lost {
		conn.Close()
	}
}

// shed ends the sessions at rest, to make place for others.
func (c *cell) shed() {
	c.mu.Lock()
	sessions := c.sessions
	c.sessions = nil
	c.mu.Unlock()
	endAll(sessions)
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

func endAll(sessions []*session.Session) {
	for _, s := range sessions {
		s.Close()
	}
}

// Connect gives a connection to a cell that many tests share. Give it back to Disconnect.
func (l *Lease) Connect(ctx context.Context) (*pgx.Conn, error) {
	config := l.Config()
	l.cell.dial(config)
	return pgx.ConnectConfig(context.WithValue(ctx, waking{}, true), config)
}

// Disconnect closes a connection of Connect. Its session serves the next one if it can be made like new.
func (l *Lease) Disconnect(ctx context.Context, conn *pgx.Conn) {
	c := l.cell
	s := c.takeOut(conn)
	if s == nil {
		return
	}
	if c.pool.facts.Cold != "" || s.Doubt() != "" || session.Reset(ctx, []*session.Session{s}) != nil {
		s.Close()
		return
	}
	c.mu.Lock()
	keep := len(c.sessions) < narrow
	if keep {
		c.sessions = append(c.sessions, s)
	}
	c.mu.Unlock()
	if !keep {
		s.Close()
	}
}
