package cells_test

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// client is a way in which a test's statements reach the server.
type client struct {
	name string
	// open gives what opens connections to a cell, and the pool that they come from, if it is the cell's.
	open func(l *cells.Lease) (connect func(context.Context) (conn, error), pool *pgxpool.Pool, err error)
}

// conn is a connection of a client's.
type conn interface {
	// run executes a statement and reads its rows to their end.
	run(ctx context.Context, sql string, args ...any) error
	// native gives pgx's connection; nil if the client is another.
	native() *pgx.Conn
	// release gives the connection back, or closes it.
	release()
}

var clients = []client{
	{"pool", func(l *cells.Lease) (func(context.Context) (conn, error), *pgxpool.Pool, error) {
		pool := l.Pool()
		return func(ctx context.Context) (conn, error) {
			c, err := pool.Acquire(ctx)
			return &pooled{c, false}, err
		}, pool, nil
	}},
	{"simple", func(l *cells.Lease) (func(context.Context) (conn, error), *pgxpool.Pool, error) {
		pool := l.Pool()
		return func(ctx context.Context) (conn, error) {
			c, err := pool.Acquire(ctx)
			return &pooled{c, true}, err
		}, pool, nil
	}},
	{"database/sql", func(l *cells.Lease) (func(context.Context) (conn, error), *pgxpool.Pool, error) {
		pool, err := l.WidePool()
		if err != nil {
			return nil, nil, err
		}
		db := stdlib.OpenDBFromPool(pool)
		l.Before(func() { db.Close() }) // as Cell.DB has it
		return func(ctx context.Context) (conn, error) {
			c, err := db.Conn(ctx)
			return &standard{c}, err
		}, pool, nil
	}},
	{"own pool", func(l *cells.Lease) (func(context.Context) (conn, error), *pgxpool.Pool, error) {
		pool, err := l.OwnPool(func(c *pgxpool.Config) {
			c.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
				_, err := c.Exec(ctx, "SET app.user_id = '4'")
				return err
			}
		})
		return func(ctx context.Context) (conn, error) {
			c, err := pool.Acquire(ctx)
			return &pooled{c, false}, err
		}, nil, err
	}},
	{"URL", func(l *cells.Lease) (func(context.Context) (conn, error), *pgxpool.Pool, error) {
		config, err := pgx.ParseConfig(l.URL())
		if err != nil {
			return nil, nil, err
		}
		config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
		return func(ctx context.Context) (conn, error) {
			c, err := pgx.ConnectConfig(ctx, config)
			return &byURL{c}, err
		}, nil, nil
	}},
}

// pooled is a connection of a pgx pool; simple ones use the simple protocol, which takes several statements at once.
type pooled struct {
	*pgxpool.Conn
	simple bool
}

func (c *pooled) run(ctx context.Context, sql string, args ...any) error {
	if c.simple && len(args) == 0 {
		_, err := c.Conn.Conn().PgConn().Exec(ctx, sql).ReadAll()
		return err
	}
	return readAll(c.Conn.Query(ctx, sql, args...))
}

func (c *pooled) native() *pgx.Conn { return c.Conn.Conn() }
func (c *pooled) release()          { c.Conn.Release() }

// byURL is a connection that pgcell does not know of.
type byURL struct{ *pgx.Conn }

func (c *byURL) run(ctx context.Context, sql string, args ...any) error {
	return readAll(c.Conn.Query(ctx, sql, args...))
}

func (c *byURL) native() *pgx.Conn { return c.Conn }
func (c *byURL) release()          { c.Conn.Close(context.Background()) }

func readAll(rows pgx.Rows, err error) error {
	if err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}

// standard is one of database/sql.
type standard struct{ *sql.Conn }

func (c *standard) run(ctx context.Context, sql string, args ...any) error {
	rows, err := c.Conn.QueryContext(ctx, sql, args...)
	if err != nil {
		return err
	}
	for rows.Next() {
	}
	return rows.Close()
}

func (c *standard) native() (native *pgx.Conn) {
	err := c.Conn.Raw(func(driver any) error {
		one, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("database/sql has a %T", driver)
		}
		native = one.Conn()
		return nil
	})
	if err != nil { // the connection is broken
		return nil
	}
	return native
}

func (c *standard) release() { c.Conn.Close() }
