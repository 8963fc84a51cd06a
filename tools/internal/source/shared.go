package source

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/external"
)

// Shared gives databases of a server that others manage. Close closes it.
func Shared(server *external.Server) Source { return &shared{server} }

// shared is a server that others manage. All clients are the role of its URL.
type shared struct{ server *external.Server }

func (s *shared) Close() error { return s.server.Close(context.Background()) }

func (s *shared) Take(ctx context.Context, worker, _, _ string) (Loan, error) {
	name, err := s.server.Take(ctx, external.Request{Worker: worker})
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

// GiveBack drops the database; what fails now is tried again when the server is closed.
func (l *sharedLoan) GiveBack() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	l.server.Drop(ctx, l.name)
}

func (s *shared) LogIn(ctx context.Context, database string, parameters map[string]string) (*pgconn.PgConn, error) {
	return s.server.Connect(ctx, database, parameters)
}

func (s *shared) Cancel(packet []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	s.server.Cancel(ctx, packet)
}

// Dial fails: the server asks for passwords that clients do not know.
func (s *shared) Dial() (net.Conn, error) {
	return nil, errors.New("connect to the server: clients must log in to pgcell first")
}
