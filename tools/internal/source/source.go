// Package source is where the databases come from that "pgcell exec" lends: a private server for all test processes, one
// for each of them, or a server that others manage.
package source

import (
	"context"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
)

// Source is a server that databases come from. Close it.
type Source interface {
	// Take makes a database, or gives one back that was. name is its name if the source can choose; what is who asks, for
	// messages.
	Take(ctx context.Context, worker, what, name string) (Loan, error)
	// LogIn connects to a database with a client's parameters; its user is among them.
	LogIn(ctx context.Context, database string, parameters map[string]string) (*pgconn.PgConn, error)
	// Dial connects to the server, which has had no start-up message yet.
	Dial() (net.Conn, error)
	// Cancel passes a request to cancel on, and returns when the server has taken it.
	Cancel(packet []byte)
	Close() error
}

// Loan is a database that a process has.
type Loan interface {
	Name() string
	// GiveBack ends its sessions, and lets others have it or drops it.
	GiveBack()
}
