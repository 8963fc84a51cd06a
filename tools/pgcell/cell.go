package pgcell

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/shard"
)

// patience bounds what is done for one test without its having asked for a time: to make a cell, to drop it.
const patience = 2 * time.Minute

// poolSize is how many connections a cell's pool may have, unless Config.Pool says otherwise.
const poolSize = 4

// Cell is one test's database. Its methods may be called concurrently, until the test's cleanup begins.
type Cell struct {
	t      TB
	lease  *cells.Lease
	table  string
	config Config
	conn   *pgx.ConnConfig
	pool   func() (*pgxpool.Pool, error) // opened at the first call
	db     func() *sql.DB                // opened at the first call
	close  func()
}

// Worker names who runs this process's tests: "w0", "w1", ... for the shards of a Bazel test, else "master".
func Worker() string { return shard.Worker(os.Getenv) }

// New gives the test a database of its own: test_db_<worker>_<id>, where id is 8 random hex digits. Further calls in the same test
// give further databases, test_db_<worker>_<id>_2 and so on. The database and what is connected to it go when the test ends. The environment
// variables TEST_DB_NAME (TEST_DB_NAME_2, ...) and TEST_TABLE_NAME name the newest cell of the process, for code that reads
// them; in parallel tests read [Cell.Name] instead.
//
// New waits while a test that called [Serial] runs. Cost: 15 to 60 ms, by machine; the first call of a process several times that, and longer
// where a template must be made from code first.
func New(t TB, config ...Config) *Cell {
	t.Helper()
	c := one(t, "pgcell.New", config)
	enter(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cluster, err := process.cluster(ctx, c)
	if err != nil {
		t.Fatalf("pgcell.New: %v", err)
	}
	suffix := names.next(t)
	lease, err := cluster.Take(ctx, "test_db_"+suffix, c.Empty)
	if err != nil {
		t.Fatalf("pgcell.New: %v", err)
	}
	cell := newCell(t, lease, "test_table_"+suffix, c)
	logChoice(t, cluster, lease)
	forget := publish(suffix, lease.Name(), cell.table)
	t.Cleanup(func() {
		forget()
		cell.close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := lease.Return(ctx); err != nil {
			t.Logf("pgcell: %v", err)
		}
	})
	return cell
}

// newCell wraps a lease; its pool and DB are opened when first asked for.
func newCell(t TB, lease *cells.Lease, table string, c Config) *Cell {
	t.Helper()
	conn, err := pgx.ParseConfig(lease.URL())
	if err != nil {
		t.Fatalf("pgcell.New: parse URL of cell %s: %v", lease.Name(), err)
	}
	cell := &Cell{t: t, lease: lease, table: table, config: c, conn: conn}
	var mu sync.Mutex
	var closers []func()
	cell.pool = sync.OnceValues(func() (*pgxpool.Pool, error) {
		pool, err := openPool(lease.URL(), c.Pool)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			closers = append(closers, pool.Close)
		}
		return pool, err
	})
	cell.db = sync.OnceValue(func() *sql.DB {
		db := stdlib.OpenDB(*conn.Copy())
		mu.Lock()
		defer mu.Unlock()
		closers = append(closers, func() { db.Close() })
		return db
	})
	cell.close = func() {
		mu.Lock()
		defer mu.Unlock()
		for _, stop := range closers {
			closeSoon(stop)
		}
	}
	return cell
}

// closeSoon closes a pool, but does not wait for ever for a connection that the test has not given back: the server ends it anyway.
func closeSoon(stop func()) {
	done := make(chan struct{})
	go func() {
		stop()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(100 * time.Millisecond):
	}
}

func openPool(url string, adjust func(*pgxpool.Config)) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = poolSize
	if adjust != nil {
		adjust(config)
	}
	return pgxpool.NewWithConfig(context.Background(), config)
}

// Name is the database's name: test_db_<worker>_<id>, for a test's second database with _2 behind it.
func (c *Cell) Name() string { return c.lease.Name() }

// Table is a table's name for the test's own use: test_table_<worker>_<id>. The table does not exist yet.
func (c *Cell) Table() string { return c.table }

// URL is how any client connects: postgres://pgcell@/<name>?host=<socket directory>&port=5432. There is no password, and no TCP.
func (c *Cell) URL() string { return c.lease.URL() }

// Config is a new copy of what [pgx.ConnectConfig] takes.
func (c *Cell) Config() *pgx.ConnConfig { return c.conn.Copy() }

// Pool is the cell's pool of at most 4 connections (see Config.Pool), opened at the first call, closed after the test.
func (c *Cell) Pool() *pgxpool.Pool {
	c.t.Helper()
	pool, err := c.pool()
	if err != nil {
		c.t.Fatalf("open pool of cell %s: %v", c.Name(), err)
	}
	return pool
}

// DB is the cell for database/sql, opened at the first call, closed after the test.
func (c *Cell) DB() *sql.DB { return c.db() }

// names gives out the names of this process's cells.
var names = &namer{tests: map[TB]*named{}}

type namer struct {
	mu    sync.Mutex
	tests map[TB]*named
}

type named struct {
	base string // <worker>_<id>
	n    int    // cells so far
}

// next gives <worker>_<id> for a test's first cell, and <worker>_<id>_2, _3, ... for further ones.
func (n *namer) next(t TB) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	test := n.tests[t]
	if test == nil {
		test = &named{base: Worker() + "_" + newID()}
		n.tests[t] = test
		t.Cleanup(func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			delete(n.tests, t)
		})
	}
	test.n++
	if test.n == 1 {
		return test.base
	}
	return fmt.Sprintf("%s_%d", test.base, test.n)
}

// newID is 8 random hex digits.
func newID() string {
	var id [4]byte
	rand.Read(id[:]) // never fails, since Go 1.24
	return hex.EncodeToString(id[:])
}

// logChoice says once a cluster what was chosen, and for each test its cell, where the user wants to see it.
func logChoice(t TB, cluster *cells.Cluster, lease *cells.Lease) {
	t.Helper()
	if os.Getenv("PGCELL_LOG") != "1" && !(testing.Testing() && testing.Verbose()) {
		return
	}
	server := cluster.Server()
	t.Logf("pgcell: %s from %s, PostgreSQL %v, %s, %s", lease.Name(), cluster.Manifest().Template,
		server.Install().Version, server.Containment(), server.Storage())
}
