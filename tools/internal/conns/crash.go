package conns

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/renew"
)

// Health is what is known of crashes of a server. Its zero value is that of a server that has not crashed.
type Health struct {
	// Unlogged tells that a crash takes rows from the template.
	Unlogged bool

	crashed atomic.Bool            // a process of the server has, and with it all connections
	counted atomic.Pointer[string] // since when the server counts: see Note
}

// errUnlogged is why no cell can be had any more.
var errUnlogged = errors.New("the server has crashed and emptied the template's unlogged tables; see its log, and run the tests again")

// Fit tells why no cell can be had; nil if they can.
func (s *Server) Fit() error {
	if err := s.Err(); err != nil {
		return err
	}
	if s.Health.crashed.Load() && s.Health.Unlogged {
		return errUnlogged
	}
	return nil
}

// Recovery is how long a server may take after a crash of one of its processes.
const Recovery = 10 * time.Second

// CheckCrash asks the server whether it has crashed, since connections have broken: that may as well be a time-out, or
// somebody who ended the session. It waits for a server that recovers.
func (s *Server) CheckCrash(ctx context.Context) {
	for start := time.Now(); time.Since(start) < Recovery && s.Err() == nil && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		var counted string
		if err := s.Admin.QueryRow(ctx, "SELECT "+renew.StartedCounting).Scan(&counted); err == nil {
			s.Note(counted)
			return
		}
	}
}

// Note compares since when the server counts with what it was at first. A crash sets the counters back; the time at
// which the postmaster started stays.
func (s *Server) Note(counted string) {
	if !s.Health.counted.CompareAndSwap(nil, &counted) && *s.Health.counted.Load() != counted {
		s.Crashed()
	}
}

// Crashed notes that the server has crashed.
func (s *Server) Crashed() { s.Health.crashed.Store(true) }

// Broken reports whether an error came from the connection, not from a statement: the server may have ended.
func Broken(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return strings.HasPrefix(pg.Code, "57P0") // shutdown, crash, cannot connect now
	}
	var network *net.OpError
	var connecting *pgconn.ConnectError
	return errors.As(err, &network) && !network.Timeout() || errors.As(err, &connecting) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// Explain adds what is known of the server to an error of one of its clients.
func (s *Server) Explain(what string, err error) error {
	// A connection breaks before the keeper has told that the server ended.
	for deadline := time.Now().Add(100 * time.Millisecond); Broken(err) && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if down := s.Err(); down != nil {
			return fmt.Errorf("%s: %w: %w", what, err, down)
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}
