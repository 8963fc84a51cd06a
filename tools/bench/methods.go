package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/cache"
	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// method is a way to give tests their databases.
type method struct {
	name string
	what string
	// begin prepares a measurement: ready gives a test its database and is what is timed, end takes back what begin took.
	begin func(r *runner, b body, parallel int) (ready func(*test) querier, end func() error, err error)
}

func (m method) String() string { return m.name }

const (
	floorName    = "floor"
	pgtestdbName = "pgtestdb"
)

// methods: the floor comes first.
var methods = []method{
	{floorName, "no isolation: all tests in one database, through warm connections", (*runner).floor},
	{"rollback", "pgcell.Tx: each test in a transaction that is rolled back", (*runner).rollback},
	{"recycling", "pgcell.New as it is by default", (*runner).recycling},
	{"ahead", "pgcell.New with PGCELL_RECYCLE=never: each test gets a new clone, made ahead of need", (*runner).ahead},
	{"on demand", "a new clone, made when a test asks for it", (*runner).onDemand},
	{pgtestdbName, "pgtestdb.New, on a server with pgcell's settings, in memory", (*runner).pgtestdb},
}

// runner holds what the measurements of a process share.
type runner struct {
	ctx      context.Context
	options  options
	install  binaries.Install
	dir      string // for golden clusters
	progress interface{ Write([]byte) (int, error) }
	clusters map[string]*cells.Cluster // of onDemand, by template
	server   *postgres.Server          // of pgtestdb
}

// close ends the servers that are the bench's own; pgcell's end with the process.
func (r *runner) close() {
	for _, c := range r.clusters {
		c.Close()
	}
	if r.server != nil {
		r.server.Close()
	}
}

// golden gives the golden cluster of a template, under another name for each use: pgcell has a server for each name.
func (r *runner) golden(t template, use string) (string, error) {
	whole := filepath.Join(r.dir, fmt.Sprintf("%d.pgcell", t.tables))
	path := filepath.Join(r.dir, fmt.Sprintf("%d-%s.pgcell", t.tables, use))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if _, err := os.Stat(whole); err != nil {
		e, err := cache.ReadEnviron()
		if err != nil {
			return "", err
		}
		if err := golden.BuildFile(r.ctx, whole, r.install, t.recipe(), golden.Options{Containment: e.Containment}); err != nil {
			return "", err
		}
	}
	return path, os.Link(whole, path)
}

// pgcell has the package pgcell use a template for what comes next, as the rule pg_go_test does.
func (r *runner) pgcell(t template, use, recycle string) error {
	path, err := r.golden(t, use)
	if err != nil {
		return err
	}
	os.Setenv("PGCELL_RECYCLE", recycle)
	os.Setenv("PGCELL_TEMPLATE", path)
	return nil
}

func nothing() error { return nil }

func newCell(t *test) querier { return viaPgx{pgcell.New(t).Pool()} }

func (r *runner) recycling(b body, _ int) (func(*test) querier, func() error, error) {
	return newCell, nothing, r.pgcell(b.template, "recycling", "auto")
}

func (r *runner) ahead(b body, _ int) (func(*test) querier, func() error, error) {
	err := r.pgcell(b.template, "ahead", "never")
	return newCell, func() error {
		time.Sleep(150 * time.Millisecond) // for what goes on behind: clones and drops
		return nil
	}, err
}

func (r *runner) rollback(b body, _ int) (func(*test) querier, func() error, error) {
	err := r.pgcell(b.template, "shared", "auto")
	return func(t *test) querier { return viaPgx{pgcell.Tx(t)} }, nothing, err
}

// floor has a new database for each measurement, so that what earlier ones left in it slows nobody down.
func (r *runner) floor(b body, parallel int) (func(*test) querier, func() error, error) {
	if err := r.pgcell(b.template, "shared", "auto"); err != nil {
		return nil, nil, err
	}
	var pool *pgxpool.Pool
	holder := newTest()
	holder.inside(func() {
		pool = pgcell.New(holder, pgcell.Config{Pool: func(c *pgxpool.Config) { c.MaxConns = int32(parallel) }}).Pool()
		if err := r.warm(b, pool, parallel); err != nil {
			holder.Fatalf("%v", err)
		}
	})
	return func(*test) querier { return viaPgx{pool} }, holder.end, holder.err()
}

// warm opens all connections of a pool and uses each, so that the server's processes know the tables.
func (r *runner) warm(b body, pool *pgxpool.Pool, connections int) error {
	for range connections {
		conn, err := pool.Acquire(r.ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		for range 3 {
			if err := b.run(r.ctx, viaPgx{conn}, b.template, testNumbers.Add(1)); err != nil {
				return err
			}
		}
	}
	return nil
}

// onDemand goes below pgcell.New, which has no such mode.
func (r *runner) onDemand(b body, _ int) (func(*test) querier, func() error, error) {
	cluster := r.clusters[b.template.name]
	if cluster == nil {
		var err error
		if cluster, err = r.open(b.template); err != nil {
			return nil, nil, err
		}
	}
	ready := func(t *test) querier {
		lease, err := cluster.Take(r.ctx, cells.Request{Test: t.Name()})
		if err != nil {
			t.Fatalf("%v", err)
		}
		t.Cleanup(func() {
			if err := lease.Return(); err != nil {
				t.Fatalf("%v", err)
			}
		})
		return viaPgx{lease.Pool()}
	}
	return ready, func() error { return cluster.Quiet(r.ctx) }, nil
}

func (r *runner) open(t template) (*cells.Cluster, error) {
	path, err := r.golden(t, "on-demand")
	if err != nil {
		return nil, err
	}
	e, err := cache.ReadEnviron()
	if err != nil {
		return nil, err
	}
	cluster, err := cells.Open(r.ctx, cells.Config{
		Golden: path, Install: r.install, Containment: e.Containment, Storage: e.Storage, Recycle: cells.Never, Ahead: cells.AheadOff,
	})
	if err != nil {
		return nil, err
	}
	if r.clusters == nil {
		r.clusters = map[string]*cells.Cluster{}
	}
	r.clusters[t.name] = cluster
	return cluster, nil
}
