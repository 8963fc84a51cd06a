package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

// Session is a process of the server's with the socket to it. While no client has it, it belongs to the caller of
// [Take].
type Session struct {
	raw      net.Conn
	keys     *Keys
	frontend *pgproto3.Frontend // used between clients
	release  func()             // called once when the socket is closed
	once     sync.Once

	// What the server and the first client said when the session began.
	parameters map[string]string // of the start-up message
	statuses   map[string]string // parameters that the server reported
	opened     []byte            // the server's answer so far
	greeting   []byte            // the same once it is complete; nil before
	keyAt      int               // where the server's key is in greeting
	pid        uint32
	secret     []byte // the server's key for cancel requests

	mu      sync.Mutex
	doubt   string
	changed bool // a client sent DDL; written while none has the session
}

// Open wraps a new connection to the server for its first client, or for a cancel request. release is called once when
// the socket is closed.
func (k *Keys) Open(raw net.Conn, release func()) *Conn {
	s := &Session{raw: raw, keys: k, release: release, statuses: map[string]string{}}
	s.frontend = pgproto3.NewFrontend(raw, raw)
	return &Conn{session: s, keys: k}
}

// Of gives the connection that a client of a session uses; nil for a client of another kind.
func Of(conn *pgx.Conn) *Conn {
	c, _ := conn.PgConn().Conn().(*Conn)
	return c
}

// syncing bounds how long a client's connection is waited for that reads in the background.
const syncing = time.Second

// Take gets a session out of a client that has come to rest. The client is closed, whatever the result, and so is
// whoever holds it.
//
// It needs of pgx what versions 5.6 to 5.12 do: PgConn.SyncConn ends reads in the background and leaves nothing in
// buffers; Hijack closes the PgConn, but not the socket; the PgConn uses what DialFunc gave it as it is; start-up
// messages and cancel requests are single writes. The tests of this package fail where one of these changes.
//
// Errors: say why the session cannot go on; it is closed then.
func Take(ctx context.Context, conn *pgx.Conn) (*Session, error) {
	c, err := takeFrom(ctx, conn)
	if err == nil && !c.revoke() {
		err = errors.New("its client still uses it")
	}
	if err != nil {
		End(conn)
		return nil, fmt.Errorf("take a session from its client: %w", err)
	}
	return c.session, nil
}

func takeFrom(ctx context.Context, conn *pgx.Conn) (*Conn, error) {
	pg, c := conn.PgConn(), Of(conn)
	switch {
	case c == nil:
		return nil, errors.New("it was not opened by this package")
	case pg.IsClosed():
		return nil, errors.New("it is closed")
	case pg.IsBusy():
		return nil, errors.New("a statement is under way")
	case pg.TxStatus() != 'I':
		return nil, errors.New("it is in a transaction")
	}
	ctx, cancel := context.WithTimeout(ctx, syncing)
	defer cancel()
	if err := pg.SyncConn(ctx); err != nil {
		return nil, err
	}
	hijacked, err := pg.Hijack()
	if err != nil {
		return nil, err
	}
	if hijacked.Frontend.ReadBufferLen() > 0 {
		return nil, errors.New("something has been read that nobody asked for")
	}
	return c, nil
}

// End closes a client, and waits for its process for at most a second.
func End(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn.Close(ctx)
	if c := Of(conn); c != nil {
		c.Close() // Close of a PgConn that was hijacked does nothing
	}
}

// Changed reports whether a client has sent a statement that probably changed catalogs.
func (s *Session) Changed() bool { return s.changed }

// PID is the process that serves the session.
func (s *Session) PID() uint32 { return s.pid }

// Doubt says why the session must not serve another client; "" if it may.
func (s *Session) Doubt() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.doubt == "" {
		return s.readable()
	}
	return s.doubt
}

// suspect notes why the session must not serve another client. The first reason stays.
func (s *Session) suspect(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.doubt == "" {
		s.doubt = why
	}
}

// Close ends a session that no client has, and waits for its process for at most a second.
func (s *Session) Close() {
	s.raw.SetDeadline(time.Now().Add(time.Second))
	s.frontend.Send(&pgproto3.Terminate{})
	if s.frontend.Flush() == nil {
		var b [512]byte
		for {
			if _, err := s.raw.Read(b[:]); err != nil { // the end of the file, as a rule
				break
			}
		}
	}
	s.closeSocket()
}

// CloseAll closes sessions that no client has.
func CloseAll(sessions []*Session) {
	for _, s := range sessions {
		s.Close()
	}
}

// PIDs lists the processes of sessions.
func PIDs(sessions []*Session) (pids []uint32) {
	for _, s := range sessions {
		pids = append(pids, s.pid)
	}
	return pids
}

func (s *Session) closeSocket() error {
	err := s.raw.Close()
	s.once.Do(func() {
		s.keys.gone(s.pid)
		if s.release != nil {
			s.release()
		}
	})
	return err
}

// The statements that make a session like new. They are sent in two messages: DISCARD ALL cannot be run in a
// transaction, which several statements in one message are. The second has the server publish what the session has
// counted.
var resetSQL = []string{"DISCARD ALL", "SELECT pg_stat_force_next_flush()"}

// reset gives resetSQL for the server's version: 14 does not have the function.
func (s *Session) reset() []string {
	if strings.HasPrefix(s.statuses["server_version"], "14") {
		return resetSQL[:1]
	}
	return resetSQL
}

// Reset makes sessions that no client has as they were when they began.
//
// Errors: of the server, or a timeout. All of the sessions must then be closed.
func Reset(ctx context.Context, sessions []*Session) error {
	for _, s := range sessions {
		if deadline, ok := ctx.Deadline(); ok {
			s.raw.SetDeadline(deadline)
		}
		for _, sql := range s.reset() {
			s.frontend.Send(&pgproto3.Query{String: sql})
		}
		if err := s.frontend.Flush(); err != nil {
			return fmt.Errorf("reset session %d: %w", s.pid, err)
		}
	}
	for _, s := range sessions {
		if err := s.readReset(); err != nil {
			return fmt.Errorf("reset session %d: %w", s.pid, err)
		}
	}
	return nil
}

// readReset reads the answers to resetSQL.
func (s *Session) readReset() error {
	for ready := 0; ready < len(s.reset()); {
		message, err := s.frontend.Receive()
		if err != nil {
			return err
		}
		switch m := message.(type) {
		case *pgproto3.ErrorResponse:
			return fmt.Errorf("%s: %s (SQLSTATE %s)", m.Severity, m.Message, m.Code)
		case *pgproto3.ParameterStatus:
			if m.Value != s.statuses[m.Name] {
				return fmt.Errorf("%s is %q, and was %q when the session began", m.Name, m.Value, s.statuses[m.Name])
			}
		case *pgproto3.ReadyForQuery:
			ready++
		}
	}
	if s.frontend.ReadBufferLen() > 0 {
		return errors.New("the server said more than it was asked")
	}
	return s.raw.SetDeadline(time.Time{})
}

// Alive reports whether a session that no client uses is quiet, and the server has not ended it.
func (s *Session) Alive() bool { return Quiet(s.raw) }

// Quiet reports whether a connection that nothing is expected from has nothing to read, not even its end.
func Quiet(conn net.Conn) bool {
	raw, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	rc, err := raw.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	// Not rc.Read, which waits for a reader.
	err = rc.Control(func(fd uintptr) {
		var b [1]byte
		// A server that ends a session says so first: words that nobody asked for are a bad sign.
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = err == syscall.EAGAIN || err == syscall.EINTR
	})
	return err == nil && quiet
}
