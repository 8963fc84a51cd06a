package cells

import (
	"context"
	"net"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/postgres"
)

// A session outlives the pools that it serves: a new process on the server costs more than all else that a test needs.
// Each test still has a pool of its own, so that a goroutine of an earlier test that kept its pool finds it closed.
// pgxpool makes connections by itself alone; so a pool is let to "connect" to a [greeting], which answers as a server
// does, and the connection that comes of it is then replaced by the waiting one.
type session struct {
	conn *pgx.Conn // where it rests between pools
	tap  *tap
}

// pid is the process that serves it.
func (s *session) pid() uint32 { return s.conn.PgConn().PID() }

func (s *session) end() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s.conn.Close(ctx)
}

// moveTo makes conn, which greeted, this session.
func (s *session) moveTo(conn *pgx.Conn, greeted *pgconn.Config) {
	url := configOf(conn).ConnString()
	*conn = *s.conn
	postgres.SetConnString(configOf(conn), url)
	// Notifications go to the pgx.Conn that the handler is bound to, and Conn.Config tells the database's name.
	s.tap.config.OnNotification = greeted.OnNotification
	s.tap.config.Database = greeted.Database
	s.tap.clear()
	s.conn = conn
}

// configOf gives a connection's configuration itself, where its method Config gives a copy.
func configOf(conn *pgx.Conn) *pgx.ConnConfig {
	f := reflect.ValueOf(conn).Elem().FieldByName("config")
	if !f.IsValid() || f.Type() != reflect.TypeFor[*pgx.ConnConfig]() { // in a release of pgx that has it elsewhere
		return conn.Config()
	}
	return (*pgx.ConnConfig)(f.UnsafePointer())
}

// rest takes the session out of the pgx.Conn that the test had: whoever still uses that finds it closed.
func (s *session) rest() {
	resting := new(pgx.Conn)
	*resting = *s.conn
	*s.conn = *closedConn(resting.Config)
	s.conn = resting
}

// doubt says why the session cannot serve another test; "" if it can.
func (s *session) doubt() string {
	pg := s.conn.PgConn()
	switch {
	case pg.IsClosed() || pg.IsBusy():
		return "broken or busy"
	case pg.TxStatus() != 'I':
		return "in a transaction"
	case len(pg.CustomData()) > 0:
		return "custom data"
	case !pristine(s.conn.TypeMap()):
		return "registered types"
	}
	return s.tap.seen().doubt
}

// forget drops notifications that came and were not asked for.
func (s *session) forget() {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		if n, err := s.conn.WaitForNotification(done); n == nil || err != nil {
			return
		}
	}
}

// registered are the fields of pgtype.Map that RegisterType and its kin write to. There is no way to ask for them.
var registered = []string{"oidToType", "nameToType", "reflectTypeToName"}

// pristine reports whether nothing has been registered in a map since it was made; false in doubt.
func pristine(m *pgtype.Map) bool {
	v, fresh := reflect.ValueOf(m).Elem(), reflect.ValueOf(pristineMap()).Elem()
	for _, name := range registered {
		f := v.FieldByName(name)
		if f.Kind() != reflect.Map || f.Len() != fresh.FieldByName(name).Len() {
			return false
		}
	}
	return same(m.TryWrapEncodePlanFuncs, pristineMap().TryWrapEncodePlanFuncs) &&
		same(m.TryWrapScanPlanFuncs, pristineMap().TryWrapScanPlanFuncs)
}

// same reports whether two lists hold the same functions, of one type.
func same[F any](a, b []F) bool {
	return slices.EqualFunc(a, b, func(f, g F) bool { return reflect.ValueOf(f).Pointer() == reflect.ValueOf(g).Pointer() })
}

var pristineMap = sync.OnceValue(pgtype.NewMap)

// resetSession is DISCARD ALL without what would take the statements from pgx that it has prepared, and with what makes
// the counters of the session known at once. It begins with time-outs that the test set.
const resetSession = "RESET ALL; CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES;" +
	" SELECT pg_advisory_unlock_all(), pg_stat_force_next_flush()"

// discardPlans has prepared statements, and those of functions, read and planned anew when they are next used.
const discardPlans = "DISCARD PLANS; "

// reset is what makes a session as it was when it was opened.
func (p *pool) reset() string {
	if p.facts.Folds {
		return discardPlans + resetSession
	}
	return resetSession
}

// Reset makes a connection of OwnPool as it was when it was opened, or ends it, and gives it back to its pool.
func (l *Lease) Reset(ctx context.Context, conn *pgxpool.Conn) {
	defer conn.Release()
	s := &session{conn: conn.Conn()}
	p, ok := l.cell.pool, false
	s.tap, ok = s.conn.PgConn().Conn().(*tap)
	if !ok || p.facts.Cold != "" || s.doubt() != "" || resetAll(ctx, []*session{s}, p.reset()) != nil {
		s.end()
		return
	}
	s.tap.clear()
}

// greeting is the server's end of a connection that is about to be replaced by a session.
type greeting struct {
	session *session
	config  *pgconn.Config

	mu     sync.Mutex
	asked  chan struct{} // closed by the first Write
	answer []byte
}

func newGreeting(s *session) *greeting { return &greeting{session: s, asked: make(chan struct{})} }

// welcome is what a server says to a startup message that it accepts.
var welcome = sync.OnceValue(func() []byte {
	var b []byte
	for _, m := range []pgproto3.BackendMessage{
		&pgproto3.AuthenticationOk{},
		&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"},
		&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"},
		&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}},
		&pgproto3.ReadyForQuery{TxStatus: 'I'},
	} {
		b, _ = m.Encode(b) // fails for messages above 1 GB alone
	}
	return b
})

func (g *greeting) Write(p []byte) (int, error) {
	g.say(welcome())
	return len(p), nil
}

// say gives the answer to all that comes, unless there is one.
func (g *greeting) say(answer []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.asked:
	default:
		g.answer = answer
		close(g.asked)
	}
}

// Read waits for the first Write: where that takes 15 ms, on a busy machine, pgx reads meanwhile.
func (g *greeting) Read(p []byte) (int, error) {
	<-g.asked
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.answer) == 0 {
		return 0, net.ErrClosed
	}
	n := copy(p, g.answer)
	g.answer = g.answer[n:]
	return n, nil
}

func (g *greeting) Close() error                     { g.say(nil); return nil }
func (g *greeting) LocalAddr() net.Addr              { return &net.UnixAddr{} }
func (g *greeting) RemoteAddr() net.Addr             { return &net.UnixAddr{} }
func (g *greeting) SetDeadline(time.Time) error      { return nil }
func (g *greeting) SetReadDeadline(time.Time) error  { return nil }
func (g *greeting) SetWriteDeadline(time.Time) error { return nil }

// closedConn is what is left in a pgx.Conn whose session has gone on; copied gives a copy of any configuration.
func closedConn(copied func() *pgx.ConnConfig) *pgx.Conn {
	makeClosed.Do(func() {
		config := copied()
		config.DialFunc = func(context.Context, string, string) (net.Conn, error) { return newGreeting(nil), nil }
		conn, err := pgx.ConnectConfig(context.Background(), config)
		if err != nil {
			panic("pgx does not accept a greeting: " + err.Error())
		}
		conn.Close(context.Background())
		closed = conn
	})
	return closed
}

var (
	makeClosed sync.Once
	closed     *pgx.Conn
)

// takeOut takes a session out of a pool; nil where it is none, which ends with its connection.
func takeOut(c *pgxpool.Conn) *session {
	conn := c.Hijack()
	t, ok := conn.PgConn().Conn().(*tap)
	if !ok || t.config == nil {
		conn.Close(context.Background())
		return nil
	}
	s := &session{conn: conn, tap: t}
	s.rest()
	return s
}

// takeUnused takes sessions out of a pool that a test has not used yet, all but one.
func takeUnused(pool *pgxpool.Pool) (unused []*session) {
	for i, c := range pool.AcquireAllIdle(context.Background()) {
		if t, ok := c.Conn().PgConn().Conn().(*tap); i == 0 || !ok || !t.unused() {
			defer c.Release()
		} else if s := takeOut(c); s != nil {
			unused = append(unused, s)
		}
	}
	return unused
}

// idle takes all sessions that rest in a pool out of it, and closes it. Those that a test has not given back end with
// their connection.
func idle(pool *pgxpool.Pool) (found []*session, left int) {
	for _, c := range pool.AcquireAllIdle(context.Background()) {
		if s := takeOut(c); s != nil {
			found = append(found, s)
		}
	}
	left = int(pool.Stat().AcquiredConns())
	if left == 0 {
		Soon(pool.Close) // or for ever, if somebody gets a connection at this moment
		return found, 0
	}
	go pool.Close() // waits for them
	// A connection that broke, as where a deadline passed, is given back and counts for a little yet.
	for start := time.Now(); left > 0 && time.Since(start) < ending; time.Sleep(time.Millisecond) {
		left = int(pool.Stat().AcquiredConns())
	}
	return found, left
}
