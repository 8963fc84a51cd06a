package lend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/external"
	"github.com/pgcell/pgcell/tools/internal/golden"
)

// source is a server that databases come from.
type source interface {
	// take makes a database, or gives one back that was. name is its name where the source can choose.
	take(ctx context.Context, worker, what, name string) (loan, error)
	// logIn connects to a database with a client's parameters; its user is among them.
	logIn(ctx context.Context, database string, parameters map[string]string) (*pgconn.PgConn, error)
	// cancel passes a request to cancel on, and returns when the server has taken it.
	cancel(packet []byte)
	Close() error
}

// loan is a database that a unit has.
type loan interface {
	Name() string
	// giveBack ends its sessions, and lets others have it or drops it.
	giveBack()
}

// private is a server of pgcell's own.
type private struct {
	cluster *cells.Cluster
	user    string // by which clients mean golden.Role
}

func (p *private) Close() error { return p.cluster.Close() }

func (p *private) take(ctx context.Context, _, what, name string) (loan, error) {
	// A process that waited for another to end could wait for ever, as where one starts the other.
	lease, err := p.cluster.Take(ctx, cells.Request{Test: what, Name: name, Holding: true})
	if err != nil {
		return nil, err
	}
	return &privateLoan{lease, p.cluster}, nil
}

type privateLoan struct {
	*cells.Lease
	cluster *cells.Cluster
}

// giveBack waits for the sessions of a process that has ended. Some end by themselves, but not those in the middle of a
// statement.
func (l *privateLoan) giveBack() {
	const sessions = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1 AND usename <> $2"
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		var n int
		if err := l.cluster.Admin().QueryRow(ctx, sessions, l.Name(), cells.AdminRole).Scan(&n); err != nil || n == 0 {
			break // where the server is gone, Return tells
		}
		time.Sleep(wait)
	}
	l.Return()
}

// logIn takes a client for golden.Role, unless it names a role that the template made.
func (p *private) logIn(ctx context.Context, database string, parameters map[string]string) (*pgconn.PgConn, error) {
	role := golden.Role
	if user := parameters["user"]; user != p.user {
		var there bool
		const sql = "SELECT count(*) > 0 FROM pg_roles WHERE rolname = $1 AND rolcanlogin AND NOT rolsuper"
		if err := p.cluster.Admin().QueryRow(ctx, sql, user).Scan(&there); err != nil {
			return nil, fmt.Errorf("look for role %q: %w", user, err)
		}
		if there {
			role = user
		}
	}
	c := p.cluster.Server().ConnConfig(role, database).Config
	c.RuntimeParams = maps.Clone(parameters)
	delete(c.RuntimeParams, "user")
	delete(c.RuntimeParams, "database")
	conn, err := pgconn.ConnectConfig(ctx, &c)
	if down := p.cluster.Server().Err(); err != nil && down != nil {
		err = down
	}
	return conn, err
}

// dial connects to the server's socket.
func (p *private) dial() (net.Conn, error) {
	conn, err := net.Dial("unix", filepath.Join(p.cluster.Server().SocketDir(), fmt.Sprintf(".s.PGSQL.%d", serverPort)))
	if down := p.cluster.Server().Err(); err != nil && down != nil {
		err = down
	}
	if err != nil {
		return nil, fmt.Errorf("connect to the server: %w", err)
	}
	return conn, nil
}

// cancel waits for the end of the connection, which is the server's to make.
func (p *private) cancel(packet []byte) {
	server, err := p.dial()
	if err != nil {
		return
	}
	defer server.Close()
	if _, err := server.Write(packet); err == nil {
		io.Copy(io.Discard, server)
	}
}

// shared is a server that others manage. All clients are the role of its URL.
type shared struct{ server *external.Server }

func (s *shared) Close() error { return s.server.Close(context.Background()) }

func (s *shared) take(ctx context.Context, worker, _, _ string) (loan, error) {
	name, err := s.server.Take(ctx, worker)
	if err != nil {
		return nil, err
	}
	return &sharedLoan{name, s.server}, nil
}

type sharedLoan struct {
	name   string
	server *external.Server
}

func (l *sharedLoan) Name() string { return l.name }

// giveBack drops the database; what fails now is tried again when the server is closed.
func (l *sharedLoan) giveBack() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	l.server.Drop(ctx, l.name)
}

func (s *shared) logIn(ctx context.Context, database string, parameters map[string]string) (*pgconn.PgConn, error) {
	return s.server.Connect(ctx, database, parameters)
}

func (s *shared) cancel(packet []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	s.server.Cancel(ctx, packet)
}

// open starts or finds the server that a configuration names.
func (c *Config) open(ctx context.Context) (source, error) {
	if c.Server != nil {
		server, err := c.Server(ctx)
		if err != nil {
			return nil, err
		}
		return &shared{server}, nil
	}
	if c.Start == nil {
		return nil, errors.New("no server is configured")
	}
	cluster, err := c.Start(ctx)
	if err != nil {
		return nil, err
	}
	return &private{cluster, c.User}, nil
}
