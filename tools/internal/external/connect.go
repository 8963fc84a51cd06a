package external

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Connect logs in to a database as the role of the URL, with the parameters of a client's start-up message; its user and
// database are left out. While the server, or the role, has no connection left, it waits for one until ctx ends. So
// processes on all machines share max_connections. Close the connection.
//
// Errors: those of pgconn; a [*pgconn.PgError] in them is what the server said.
func (s *Server) Connect(ctx context.Context, database string, parameters map[string]string) (*pgconn.PgConn, error) {
	c := s.ConnConfig(database).Config
	for name, value := range parameters {
		if name != "user" && name != "database" {
			c.RuntimeParams[name] = value
		}
	}
	var conn *pgconn.PgConn
	err := whenFree(ctx, func() (err error) {
		conn, err = pgconn.ConnectConfig(ctx, &c)
		return err
	})
	return conn, err
}

// connect logs in as configured, as soon as the server has a connection left.
func connect(ctx context.Context, c *pgx.ConnConfig) (conn *pgx.Conn, err error) {
	err = whenFree(ctx, func() (err error) {
		conn, err = pgx.ConnectConfig(ctx, c)
		return err
	})
	return conn, err
}

// whenFree tries to log in while the server has no connection left, until ctx ends.
func whenFree(ctx context.Context, logIn func() error) error {
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := logIn()
		if err == nil || !full(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for one of the server's connections (max_connections, or the role's CONNECTION LIMIT): %w", err)
		case <-time.After(wait):
		}
	}
}

// full reports whether an error is that there are too many connections, or too many clients that connect at the same time: a
// Unix socket then refuses them with EAGAIN (connect(2)).
func full(err error) bool {
	const tooMany = "53300"
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == tooMany || errors.Is(err, syscall.EAGAIN)
}

// Cancel passes a client's request to cancel on: packet is the whole of it. It returns when the server has taken it.
func (s *Server) Cancel(ctx context.Context, packet []byte) error {
	network, address := pgconn.NetworkAddress(s.base.Host, s.base.Port)
	conn, err := s.base.DialFunc(ctx, network, address)
	if err != nil {
		return fmt.Errorf("cancel: %w", err)
	}
	defer conn.Close()
	if _, err := conn.Write(packet); err != nil {
		return fmt.Errorf("cancel: %w", err)
	}
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	conn.Read(make([]byte, 1)) // the server closes the connection when it is done
	return nil
}
