package source

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/golden"
)

// Port names the socket of a private server.
const Port = 5432

// Private gives the databases of a server of pgcell's own, as cells. user is the name by which clients mean
// [golden.Role]. Close closes the server.
func Private(cluster *cells.Cluster, user string) Source { return &private{cluster, user} }

// private is a server of pgcell's own.
type private struct {
	cluster *cells.Cluster
	user    string // by which clients mean golden.Role
}

func (p *private) Close() error { return p.cluster.Close() }

func (p *private) Take(ctx context.Context, _, what, name string) (Loan, error) {
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

// GiveBack waits for the sessions of a process that has ended. Some end by themselves, but not those in the middle of a
// statement.
func (l *privateLoan) GiveBack() {
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

// LogIn takes a client for golden.Role, unless it names a role that the template made.
func (p *private) LogIn(ctx context.Context, database string, parameters map[string]string) (*pgconn.PgConn, error) {
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
	return p.logInAs(ctx, role, database, maps.Clone(parameters))
}

func (p *private) logInAs(ctx context.Context, role, database string, parameters map[string]string) (*pgconn.PgConn, error) {
	c := p.cluster.Server().ConnConfig(role, database).Config
	delete(parameters, "user")
	delete(parameters, "database")
	c.RuntimeParams = parameters
	conn, err := pgconn.ConnectConfig(ctx, &c)
	if down := p.cluster.Server().Err(); err != nil && down != nil {
		err = down
	}
	return conn, err
}

// Dial connects to the server's socket.
func (p *private) Dial() (net.Conn, error) {
	conn, err := net.Dial("unix", filepath.Join(p.cluster.Server().SocketDir(), fmt.Sprintf(".s.PGSQL.%d", Port)))
	if down := p.cluster.Server().Err(); err != nil && down != nil {
		err = down
	}
	if err != nil {
		return nil, fmt.Errorf("connect to the server: %w", err)
	}
	return conn, nil
}

// Cancel waits for the end of the connection, which is the server's to make.
func (p *private) Cancel(packet []byte) {
	server, err := p.Dial()
	if err != nil {
		return
	}
	defer server.Close()
	if _, err := server.Write(packet); err == nil {
		io.Copy(io.Discard, server)
	}
}
