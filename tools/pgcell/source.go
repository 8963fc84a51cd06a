package pgcell

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// source is a server that cells come from: a private one, or one that others manage. Two are equal if they are one.
type source interface {
	take(context.Context, cells.Request) (lease, error)
	// describe says where a cell comes from.
	describe(lease) string
	// keep leaves a failed test's cell for a look at it, or says why it does not.
	keep(ctx context.Context, t TB, l lease, dumped string)
	// watch gives a function that says if memory was full since.
	watch() func() string
	Close() error
}

// lease is a test's right to a cell: see [cells.Lease].
type lease interface {
	Name() string
	URL() string
	Config() *pgx.ConnConfig
	Made() string
	Waited() time.Duration
	Pool() *pgxpool.Pool
	WidePool() (*pgxpool.Pool, error)
	OwnPool(func(*pgxpool.Config)) (*pgxpool.Pool, error)
	Before(func())
	Return() error
	Keep()
	Connect(context.Context) (*pgx.Conn, error)
	Disconnect(context.Context, *pgx.Conn)
	Dump(ctx context.Context, w io.Writer, limit int64) error
	ServerLog(limit int64) string
	FullMemory() string
}

// private is a server of this process.
type private struct{ *cells.Cluster }

func (p private) take(ctx context.Context, r cells.Request) (lease, error) {
	l, err := p.Take(ctx, r)
	if err != nil {
		return nil, err // not l, which would be an interface that is not nil
	}
	return l, nil
}

func (p private) describe(l lease) string {
	made := l.Made()
	if made == "cloned" {
		made += " by " + p.Strategy()
	}
	server := p.Server()
	return fmt.Sprintf("%s from %s, PostgreSQL %v, %s, %s", made, p.Manifest().Template, server.Install().Version, server.Containment(),
		server.Storage())
}

func (p private) watch() func() string {
	since := p.Server().LogSize()
	return func() string { return p.Server().FullSince(since) }
}
