package session_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/keeper"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/session"
)

func init() { keeper.Become(nil) }

// server is shared by the tests of this package, and ends with the process.
var server = sync.OnceValues(func() (*postgres.Server, error) {
	install, err := binaries.Find(context.Background(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		return nil, err
	}
	return postgres.Start(context.Background(), postgres.Config{Install: install})
})

func TestMain(m *testing.M) {
	code := m.Run()
	if s, err := server(); err == nil {
		s.Close()
	}
	os.Exit(code)
}

// bench opens clients of sessions.
type bench struct {
	t      *testing.T
	server *postgres.Server
	keys   session.Keys
}

func newBench(t *testing.T) *bench {
	t.Helper()
	s, err := server()
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, server: s}
}

// client connects by a session, or by a new one where that is nil.
func (b *bench) client(s *session.Session) *pgx.Conn {
	b.t.Helper()
	config := b.server.ConnConfig("postgres", "postgres")
	dial, first := config.DialFunc, true
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if first && s != nil {
			first = false
			return s.Client(&b.keys), nil
		}
		raw, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return b.keys.Open(raw, nil), nil
	}
	conn, err := pgx.ConnectConfig(b.t.Context(), config)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// handOver takes the session out of a client, resets it, and gives it to a new one.
func (b *bench) handOver(conn *pgx.Conn) (*session.Session, *pgx.Conn) {
	b.t.Helper()
	s, err := session.Take(b.t.Context(), conn)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), 10*time.Second)
	defer cancel()
	if err := session.Reset(ctx, []*session.Session{s}); err != nil {
		b.t.Fatal(err)
	}
	return s, b.client(s)
}

func mustText(t *testing.T, conn *pgx.Conn, query string) (got string) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query).Scan(&got); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return got
}

// TestHandOver has ten clients use one session, each of which finds what a client of a new session does.
func TestHandOver(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	fresh := b.client(nil)
	parameters := func(conn *pgx.Conn) map[string]string {
		all := map[string]string{}
		for _, name := range []string{
			"server_version", "server_encoding", "client_encoding", "application_name", "is_superuser", "session_authorization",
			"DateStyle", "IntervalStyle", "TimeZone", "integer_datetimes", "standard_conforming_strings",
		} {
			all[name] = conn.PgConn().ParameterStatus(name)
		}
		return all
	}
	want := parameters(fresh)
	conn := b.client(nil)
	pid := conn.PgConn().PID()
	for range 10 {
		if d := cmp.Diff(want, parameters(conn)); d != "" {
			t.Fatalf("parameters (-new session +handed over):\n%s", d)
		}
		if got := mustText(t, conn, "SELECT pg_backend_pid()::text"); got != fmt.Sprint(pid) || conn.PgConn().PID() != pid {
			t.Fatalf("process %s, known to the client as %d, want %d", got, conn.PgConn().PID(), pid)
		}
		for _, sql := range []string{"LISTEN x", "NOTIFY x", "SELECT pg_advisory_lock(7)", "BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT"} {
			if _, err := conn.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := conn.Prepare(t.Context(), "mine", "SELECT 1"); err != nil {
			t.Fatal(err)
		}
		var s *session.Session
		s, conn = b.handOver(conn)
		if s.Doubt() != "" || s.Changed() {
			t.Fatalf("doubt %q, changed %v after harmless statements", s.Doubt(), s.Changed())
		}
		const left = `SELECT concat((SELECT count(*) FROM pg_prepared_statements WHERE NOT from_sql AND name = 'mine'),
  (SELECT count(*) FROM pg_cursors WHERE name = 'c'), (SELECT count(*) FROM pg_listening_channels()),
  (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()))`
		if got := mustText(t, conn, left); got != "0000" {
			t.Errorf("statements, cursors, channels and locks of the client before: %s, want 0000", got)
		}
	}
}

// TestKeptClient uses clients whose session has gone on, at each level of pgx.
func TestKeptClient(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old := b.client(nil)
	pg, raw := old.PgConn(), old.PgConn().Conn()
	_, next := b.handOver(old)
	if _, err := old.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("Exec of the pgx.Conn succeeds")
	}
	if err := pg.Exec(t.Context(), "SELECT 1").Close(); err == nil {
		t.Error("Exec of the PgConn succeeds")
	}
	buffer := make([]byte, 1)
	_, read := raw.Read(buffer)
	_, write := raw.Write([]byte("X\x00\x00\x00\x04")) // Terminate
	for what, err := range map[string]error{
		"Read": read, "Write": write, "Close": raw.Close(), "SetDeadline": raw.SetDeadline(time.Unix(1, 0)),
		"SetReadDeadline": raw.SetReadDeadline(time.Unix(1, 0)), "SetWriteDeadline": raw.SetWriteDeadline(time.Unix(1, 0)),
	} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s = %v, want net.ErrClosed", what, err)
		}
	}
	if got := mustText(t, next, "SELECT 'well'"); got != "well" {
		t.Errorf("the next client reads %q", got)
	}
}

// TestLateCancel has an earlier client send cancel requests while the next one runs a statement.
func TestLateCancel(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old := b.client(nil)
	for range 20 {
		pg := old.PgConn()
		_, next := b.handOver(old)
		done := make(chan error)
		go func() {
			_, err := next.Exec(t.Context(), "SELECT pg_sleep(0.02)")
			done <- err
		}()
		for range 3 {
			if err := pg.CancelRequest(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-done; err != nil {
			t.Fatalf("the next client's statement: %v", err)
		}
		old = next
	}
}

// TestCancel has a client of a session that was handed over cancel its own statement.
func TestCancel(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, conn := range map[string]*pgx.Conn{
		"new":         b.client(nil),
		"handed over": func() *pgx.Conn { _, c := b.handOver(b.client(nil)); return c }(),
	} {
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			for ctx.Err() == nil { // the first may come before the statement
				conn.PgConn().CancelRequest(ctx)
				time.Sleep(time.Millisecond)
			}
		}()
		_, err := conn.Exec(t.Context(), "SELECT pg_sleep(60)")
		stop()
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "57014" {
			t.Errorf("%s: %v, want 57014", name, err)
		}
	}
}

// TestCancelNotAwaited has a client send a cancel request and not wait for the server's answer: the session ends.
func TestCancelNotAwaited(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	conn := b.client(nil)
	s, conn := b.handOver(conn)
	config := b.server.ConnConfig("postgres", "postgres")
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	raw, err := conn.Config().DialFunc(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	pg := conn.PgConn()
	request := binary.BigEndian.AppendUint32(nil, uint32(12+len(pg.SecretKey())))
	request = binary.BigEndian.AppendUint32(request, 80877102)
	request = append(binary.BigEndian.AppendUint32(request, pg.PID()), pg.SecretKey()...)
	if _, err := raw.Write(request); err != nil {
		t.Fatal(err)
	}
	raw.Close()
	if want := "a cancel request that nobody waited for"; s.Doubt() != want {
		t.Errorf("doubt %q, want %q", s.Doubt(), want)
	}
}

// TestReaderLeftBehind has somebody read from the socket when the session is to go on: nobody knows who would get the
// next byte.
func TestReaderLeftBehind(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	conn := b.client(nil)
	raw := conn.PgConn().Conn()
	begun, ended := make(chan struct{}), make(chan error)
	go func() {
		close(begun)
		_, err := io.ReadFull(raw, make([]byte, 1))
		ended <- err
	}()
	<-begun
	time.Sleep(20 * time.Millisecond) // so that it waits in Read
	if s, err := session.Take(t.Context(), conn); err == nil {
		t.Fatalf("Take = %v, want an error", s)
	}
	if err := <-ended; err == nil {
		t.Error("the reader has read something")
	}
}

// TestBackgroundReader has pgx start to read in the background, as it does when a write takes long, and hands the
// session over at once.
func TestBackgroundReader(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	conn := b.client(nil)
	rows := make([][]any, 200_000) // more than the socket's buffers hold, for a server that is busy
	for i := range rows {
		rows[i] = []any{"a text of some length, so that the server has something to do"}
	}
	for range 3 {
		if _, err := conn.Exec(t.Context(), "DROP TABLE IF EXISTS background; CREATE TABLE background (t text CHECK (length(t) > 3))"); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.CopyFrom(t.Context(), pgx.Identifier{"background"}, []string{"t"}, pgx.CopyFromRows(rows)); err != nil {
			t.Fatal(err)
		}
		_, conn = b.handOver(conn)
	}
}

// TestUnfit takes sessions that cannot go on.
func TestUnfit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, spoil := range map[string]func(*pgx.Conn){
		"in a transaction": func(c *pgx.Conn) { c.Exec(t.Context(), "BEGIN") },
		"closed":           func(c *pgx.Conn) { c.Close(t.Context()) },
		"busy":             func(c *pgx.Conn) { c.Query(t.Context(), "SELECT generate_series(1, 3)") },
		"ended by the server": func(c *pgx.Conn) {
			b.client(nil).Exec(t.Context(), "SELECT pg_terminate_backend($1, 10000)", c.PgConn().PID())
		},
	} {
		conn := b.client(nil)
		spoil(conn)
		s, err := session.Take(t.Context(), conn)
		if err == nil {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			err = session.Reset(ctx, []*session.Session{s})
			cancel()
		}
		if err == nil {
			t.Errorf("a session that is %s goes on", name)
		}
	}
	if _, err := session.Take(t.Context(), mustConnect(t, b.server)); err == nil {
		t.Error("a client of another kind is taken")
	}
}

func mustConnect(t *testing.T, s *postgres.Server) *pgx.Conn {
	t.Helper()
	conn, err := s.Connect(t.Context(), "postgres", "postgres")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// TestFits compares configurations with the start-up of a session.
func TestFits(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s, _ := b.handOver(b.client(nil))
	for name, change := range map[string]func(*pgx.ConnConfig){
		"":                 func(*pgx.ConnConfig) {},
		"database":         func(c *pgx.ConnConfig) { c.Database = "other" },
		"user":             func(c *pgx.ConnConfig) { c.User = "other" },
		"application_name": func(c *pgx.ConnConfig) { c.RuntimeParams["application_name"] = "x" },
		"TimeZone":         func(c *pgx.ConnConfig) { c.RuntimeParams["TimeZone"] = "Asia/Tokyo" },
		"options":          func(c *pgx.ConnConfig) { c.RuntimeParams["options"] = "-c work_mem=1MB" },
	} {
		config := b.server.ConnConfig("postgres", "postgres")
		change(config)
		if got, want := s.Fits(config), name == "" || name == "database"; got != want {
			t.Errorf("with another %q, Fits = %v, want %v", name, got, want)
		}
	}
}

// TestDoubt sends by the protocol what a session must not be kept after.
func TestDoubt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for want, send := range map[string]func(c *pgx.Conn) error{
		"": func(c *pgx.Conn) error { return c.Ping(t.Context()) },
		"a statement that begins with SET": func(c *pgx.Conn) error {
			_, err := c.Exec(t.Context(), "/* a; /* b */ ; */ SET app.tenant = '7'")
			return err
		},
		"set_config": func(c *pgx.Conn) error {
			_, err := c.Prepare(t.Context(), "s", "SELECT set_config('app.tenant', '7', false)")
			return err
		},
	} {
		conn := b.client(nil)
		if err := send(conn); err != nil {
			t.Fatal(err)
		}
		s, err := session.Take(t.Context(), conn)
		if err != nil {
			t.Fatal(err)
		}
		if s.Doubt() != want {
			t.Errorf("doubt %q, want %q", s.Doubt(), want)
		}
		s.Close()
	}
}
