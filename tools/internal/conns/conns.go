// Package conns gives the tests of one database their connection pools, and keeps the sessions behind these for the next
// test.
package conns

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/session"
)

// Server is what the databases of one server share.
type Server struct {
	*postgres.Server
	Keys  session.Keys  // of sessions' clients
	Admin *pgxpool.Pool // of the superuser's connections
	Warn  func(string)  // gets what users should know

	Health Health
}

// Set is the connections of tests to one database, also between tests. Its methods may be called concurrently.
type Set struct {
	server *Server

	mu       sync.Mutex
	name     string             // of the database
	test     string             // that has it; "" while none has
	sessions []*session.Session // at rest, waiting for a pool
	clients  map[*session.Session]*session.Conn
	woken    []uint32 // processes of sessions that came from rest since the database has its name
}

// New makes a Set without connections.
func New(server *Server, name string) *Set {
	return &Set{server: server, name: name, clients: map[*session.Session]*session.Conn{}}
}

// Name is the database's name.
func (s *Set) Name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.name
}

// Rename notes that the database has another name. Open pools connect by the old one still.
func (s *Set) Rename(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name, s.woken = name, nil
}

// Serve names the test that has the database, for messages; "" for none.
func (s *Set) Serve(test string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.test = test
}

// waking marks the context of who asks for the sessions at rest. A pool that a test makes of the configuration of its
// cell's has the same hooks, but connections of its own.
type waking struct{}

// Pool gives a pool of at most some connections, with the sessions at rest in it. Close it with Collect.
//
// Errors: those of the connections.
func (s *Set) Pool(ctx context.Context, most int32) (*pgxpool.Pool, error) {
	pool, err := pgxpool.NewWithConfig(context.Background(), s.Config(func(c *pgxpool.Config) { c.MaxConns = most }))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	n := len(s.sessions)
	s.mu.Unlock()
	ctx = context.WithValue(ctx, waking{}, true)
	for range n {
		conn, err := pool.Acquire(ctx)
		if err != nil {
			return pool, err
		}
		defer conn.Release() // when all are there, else the first would come again
	}
	return pool, nil
}

// Config is a pool's configuration which adjust has changed.
func (s *Set) Config(adjust func(*pgxpool.Config)) *pgxpool.Config {
	config := s.server.PoolConfig(golden.Role, s.Name())
	config.ConnConfig.Tracer = &waits{set: s}
	adjust(config)
	before := config.BeforeConnect
	config.BeforeConnect = func(ctx context.Context, one *pgx.ConnConfig) error {
		if before != nil {
			if err := before(ctx, one); err != nil {
				return err
			}
		}
		s.dial(one)
		return nil
	}
	return config
}

// Connect gives a connection, by a session at rest if there is one. Give it back to Disconnect.
//
// Errors: those of [pgx.ConnectConfig].
func (s *Set) Connect(ctx context.Context) (*pgx.Conn, error) {
	config := s.server.ConnConfig(golden.Role, s.Name())
	s.dial(config)
	return pgx.ConnectConfig(context.WithValue(ctx, waking{}, true), config)
}

// Disconnect closes a connection of Connect. If reuse is set and its session can be made like new, that rests then, unless
// most do already.
func (s *Set) Disconnect(ctx context.Context, conn *pgx.Conn, reuse bool, most int) {
	one := s.takeOut(conn)
	if one == nil {
		return
	}
	if !reuse || one.Doubt() != "" || session.Reset(ctx, []*session.Session{one}) != nil {
		one.Close()
		return
	}
	s.mu.Lock()
	keep := len(s.sessions) < most
	if keep {
		s.sessions = append(s.sessions, one)
	}
	s.mu.Unlock()
	if !keep {
		one.Close()
	}
}

// dial changes how one connection is made: by a session at rest, if the caller wakes them, else by a new one. What is
// dialed once the connection is there carries a cancel request.
func (s *Set) dial(config *pgx.ConnConfig) {
	open, keys := config.DialFunc, &s.server.Keys
	var there atomic.Bool
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if !there.Load() {
			if conn := s.wake(ctx, config); conn != nil {
				there.Store(true)
				return conn, nil
			}
		}
		raw, err := open(ctx, network, address)
		if err != nil {
			if down := s.server.Err(); down != nil {
				err = down
			}
			return nil, err
		}
		if there.Swap(true) {
			return keys.Open(raw, nil), nil
		}
		return s.connect(raw), nil
	}
}

// connect makes a session of a new connection.
func (s *Set) connect(raw net.Conn) *session.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	var one *session.Session
	conn := s.server.Keys.Open(raw, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.clients, one)
	})
	one = conn.Session()
	s.clients[one] = conn
	return conn
}

// wake gives a connection to a session that rests, if there is one and ctx asks for it.
func (s *Set) wake(ctx context.Context, config *pgx.ConnConfig) *session.Conn {
	if ctx.Value(waking{}) == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.sessions)
	if n == 0 || !s.sessions[n-1].Fits(config) {
		return nil
	}
	one := s.sessions[n-1]
	s.sessions = s.sessions[:n-1]
	s.woken = append(s.woken, one.PID())
	conn := one.Client(&s.server.Keys)
	s.clients[one] = conn
	return conn
}

// takeOut takes the session out of a client that nobody uses any more, and closes the client; nil if the session cannot
// go on.
func (s *Set) takeOut(conn *pgx.Conn) *session.Session {
	one, err := session.Take(context.Background(), conn)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, one)
	return one
}

// Collect closes a pool of Pool's. Sessions that nobody uses rest then; left is how many connections its users have not
// given back.
func (s *Set) Collect(pool *pgxpool.Pool) (left int) {
	for _, conn := range pool.AcquireAllIdle(context.Background()) {
		if one := s.takeOut(conn.Hijack()); one != nil {
			s.Keep([]*session.Session{one})
		}
	}
	return closePool(pool)
}

// Keep has sessions rest that no client has.
func (s *Set) Keep(sessions []*session.Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions = append(s.sessions, sessions...)
}

// Rest takes the sessions that rest out of the Set: the caller is to close them or to give them to Keep.
func (s *Set) Rest() []*session.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	sessions := s.sessions
	s.sessions = nil
	return sessions
}

// Woken lists the processes of sessions that came from rest since the database has its name.
func (s *Set) Woken() []uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]uint32(nil), s.woken...)
}

// Alive reports whether the server has ended none of the sessions. Call it while no test uses them.
func (s *Set) Alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for one := range s.clients {
		if !one.Alive() {
			return false
		}
	}
	for _, one := range s.sessions {
		if !one.Alive() {
			return false
		}
	}
	return true
}

// CutOff closes connections that a test has not given back to their pool: nobody else would, and a process that writes to a
// client which does not read keeps all databases from being dropped.
func (s *Set) CutOff() {
	s.mu.Lock()
	var lost []*session.Conn
	for _, conn := range s.clients {
		lost = append(lost, conn)
	}
	s.mu.Unlock()
	for _, conn := range lost {
		conn.Close()
	}
}

// ending is how long connections that broke are given to be gone: pgx closes them behind the test.
const ending = 300 * time.Millisecond

// closePool closes a pool out of which all that rested has been taken, and tells how many connections its users have not
// given back.
func closePool(pool *pgxpool.Pool) (left int) {
	left = int(pool.Stat().AcquiredConns())
	if left == 0 {
		Soon(pool.Close) // or for ever, if somebody gets a connection at this moment
		return 0
	}
	go pool.Close() // waits for them
	// A connection that broke, as where a deadline passed, is given back and counts for a little yet.
	for start := time.Now(); left > 0 && time.Since(start) < ending; time.Sleep(time.Millisecond) {
		left = int(pool.Stat().AcquiredConns())
	}
	return left
}

// Soon waits for do, which closes a pool, but not for ever: for a connection that a test has not given back, the server
// ends it anyway.
func Soon(do func()) {
	done := make(chan struct{})
	go func() {
		do()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(100 * time.Millisecond):
	}
}
