package pgcell

import (
	"context"
	"database/sql"
	"flag"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/pgcell/pgcell/tools/internal/shard"
)

// patience bounds what is done for one test without its having asked for a time: to make a cell, to drop it.
const patience = 2 * time.Minute

// Cell is the database of one test or program. Its methods may be called concurrently until Close or the test's cleanup
// begins.
type Cell struct {
	t        TB
	lease    lease
	table    string
	pool     func() (*pgxpool.Pool, error) // opened at the first call
	db       func() (*sql.DB, error)       // opened at the first call
	giveBack func() error                  // nil where the test's end does it
}

// Worker names who runs this process's tests: "w0", "w1", ... for the shards of a Bazel test, else "master".
func Worker() string { return shard.Worker(os.Getenv) }

// New gives the test a database of its own, test_db_<worker>_<id>, where id is 8 random hex digits. Each further call in
// the same test gives another database, test_db_<worker>_<id>_2 and so on, so call New before a benchmark's loop. When
// the test ends, its connections are ended and the database is given back. The environment variables TEST_DB_NAME
// (TEST_DB_NAME_2, ...) and TEST_TABLE_NAME name the newest cell of the process, for code that reads them. Parallel tests
// must use [Cell.Name] instead.
//
// New waits while a test that called [Serial] runs, and while the server has no connections left for another test. Waits
// of more than 5 s are reported. Cost: below 0.1 ms if a cell is ready, otherwise 15 to 60 ms, depending on the machine.
// The first call of a process takes several times that, and longer if a template must be made from code first.
func New(t TB, config ...Config) *Cell {
	t.Helper()
	c := one(t, "pgcell.New", config)
	waited := enter(t)
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	server, err := process.server(ctx, c)
	if err != nil {
		t.Fatalf("pgcell.New: %v", err)
	}
	started := time.Since(start)
	if c.Private {
		t.Cleanup(func() {
			if t.Failed() || panicking() { // its server stays, as those of other cells do
				return
			}
			if err := server.Close(); err != nil {
				t.Logf("pgcell: close private server: %v", err)
			}
		})
	}
	request, suffix := names.request(t)
	request.Empty, request.New = c.Empty, c.Recycle == RecycleNever
	lease, err := server.take(ctx, request)
	if err != nil {
		t.Fatalf("pgcell.New: %v", err)
	}
	if suffix == "" {
		suffix = strings.TrimPrefix(lease.Name(), databasePrefix)
		names.named(t, suffix)
	}
	cell := &Cell{t: t, lease: lease, table: "test_table_" + suffix}
	cell.open(c)
	logChoice(t, server, lease)
	forget := publish(suffix, lease.Name(), cell.table)
	names.used(t, lease, time.Since(start)-lease.Waited(), waited+lease.Waited(), started)
	t.Cleanup(func() {
		t.Helper() // what is said here stands at the line that called New
		forget()
		if t.Failed() || panicking() {
			keep(t, c, server, lease)
		} else if c.Private {
			lease.Keep() // its server goes, and so need not be dropped
		} else if err := lease.Return(); err != nil {
			t.Fatalf("pgcell: %v", err)
		}
	})
	return cell
}

// open has the cell's pools opened when they are first asked for; DB's goes when the test ends, before the cell is
// given back.
func (c *Cell) open(config Config) {
	c.pool = sync.OnceValues(func() (*pgxpool.Pool, error) {
		if config.Pool != nil {
			return c.lease.OwnPool(config.Pool)
		}
		return c.lease.Pool(), nil
	})
	c.db = sync.OnceValues(func() (*sql.DB, error) {
		pool, err := c.lease.WidePool()
		if err != nil {
			return nil, err
		}
		db := stdlib.OpenDBFromPool(pool)
		c.lease.Before(func() { db.Close() })
		return db, nil
	})
}

// Name is the database's name, test_db_<worker>_<id>. The name of a test's second database ends in _2.
func (c *Cell) Name() string { return c.lease.Name() }

// Table is a table name for the test's own use, test_table_<worker>_<id>. The table does not exist yet.
func (c *Cell) Table() string { return c.table }

// URL is what any client connects with: postgres://pgcell@/<name>?host=<socket directory>&port=5432. There is no password
// and no TCP. Once the test has ended, connections with it are refused, because no other database of this process gets
// that name. The database may have sessions of pgcell's besides the test's own: see docs/isolation.md.
func (c *Cell) URL() string { return c.lease.URL() }

// Config is a new copy of what [pgx.ConnectConfig] takes, for URL.
func (c *Cell) Config() *pgx.ConnConfig { return c.lease.Config() }

// Pool is the cell's pool of at most 4 connections (see Config.Pool), which is closed after the test. Its connections
// may use server processes that served earlier tests, and are like new ones.
func (c *Cell) Pool() *pgxpool.Pool {
	pool, err := c.pool()
	if err != nil {
		c.t.Helper() // not earlier: in a fuzz target a testing.F must not be asked for anything
		c.t.Fatalf("open pool of cell %s: %v", c.Name(), err)
	}
	return pool
}

// DB gives the cell to database/sql. It is opened at the first call and closed after the test. It has at most 16
// connections at once, in addition to Pool's. It fails if the server has not as many left.
func (c *Cell) DB() *sql.DB {
	db, err := c.db()
	if err != nil {
		c.t.Helper()
		c.t.Fatalf("open database/sql for cell %s: %v", c.Name(), err)
	}
	return db
}

// logChoice says for each test what was chosen, where the user wants to see it.
func logChoice(t TB, server source, l lease) {
	t.Helper()
	if verbose() {
		t.Logf("pgcell: %s, %s", l.Name(), server.describe(l))
	}
}

// verbose reports whether the user wants to see what was chosen.
func verbose() bool {
	return isOn("PGCELL_LOG") || testing.Testing() && flag.Parsed() && testing.Verbose()
}
