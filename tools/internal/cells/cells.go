// Package cells hands out isolated databases, and takes them back.
//
// A [Cluster] is one private server on a golden cluster. Take gives a [Lease] on a database of its own, cloned from the sealed template;
// Return ends what the test left and drops it. Only this package writes DDL for cells.
//
// Non-goals, so far: cells ahead of need, and using a cell again.
package cells

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/postgres"
)

// AdminDatabase and AdminRole are for statements on the whole cluster.
const (
	AdminDatabase = "postgres"
	AdminRole     = "postgres"
)

// admins bounds the connections that make and drop cells: cloning is work of the server's, which more of them do not speed up.
const admins = 4

// Config says what [Open] runs.
type Config struct {
	Golden       string               // path of the golden cluster; absolute
	Install      postgres.Install     // that runs it; of the same major version as the one that made it
	Containment  postgres.Containment // see [postgres.Config]
	SocketParent string               // see [postgres.Config]
	Storage      postgres.Storage     // see [postgres.Config]
	Settings     map[string]string    // on top of those of the golden cluster
}

// Cluster is a running server whose databases are cells. It may be used concurrently. Close it, or let the process end.
type Cluster struct {
	server   *postgres.Server
	manifest golden.Manifest
	admin    *pgxpool.Pool
	closing  sync.Once
}

// Open starts a server on a golden cluster. Cost: 100 to 400 ms, by machine.
//
// Errors: [*golden.DamagedError] and those of [postgres.Start].
func Open(ctx context.Context, c Config) (*Cluster, error) {
	m, err := golden.ReadManifest(c.Golden)
	if err != nil {
		return nil, err
	}
	if got, want := c.Install.Version.Major, m.Postgres.Major; got != want {
		return nil, fmt.Errorf("start golden cluster %q: it was made with PostgreSQL %v, and %s is %v; build it again",
			c.Golden, m.Postgres, c.Install.BinDir, c.Install.Version)
	}
	settings := map[string]string{}
	for _, some := range []map[string]string{m.Settings, c.Settings} {
		for name, value := range some {
			settings[name] = value
		}
	}
	server, err := postgres.Start(ctx, postgres.Config{
		Install: c.Install, Source: golden.Source(c.Golden), Settings: settings,
		Containment: c.Containment, SocketParent: c.SocketParent, Storage: c.Storage,
	})
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(server.URL(AdminRole, AdminDatabase))
	if err == nil {
		config.MaxConns = admins
		// Each statement is sent once: a description of it first would be a second round trip.
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
		admin, err := pgxpool.NewWithConfig(ctx, config)
		if err == nil {
			return &Cluster{server: server, manifest: m, admin: admin}, nil
		}
	}
	server.Close()
	return nil, fmt.Errorf("connect to the server of golden cluster %q: %w", c.Golden, err)
}

// Server is the server behind the cells.
func (c *Cluster) Server() *postgres.Server { return c.server }

// Manifest tells what the golden cluster holds.
func (c *Cluster) Manifest() golden.Manifest { return c.manifest }

// Admin gives connections of the superuser, to the database [AdminDatabase].
func (c *Cluster) Admin() *pgxpool.Pool { return c.admin }

// Close ends the server and all cells.
func (c *Cluster) Close() error {
	var err error
	c.closing.Do(func() {
		c.admin.Close()
		err = c.server.Close()
	})
	return err
}

// Lease is a test's right to one cell.
type Lease struct {
	cluster *Cluster
	name    string
}

// Take makes a cell of the given name: a clone of the template, or an empty database. Cost: 15 to 60 ms on memory, by machine.
//
// Errors name the cell, and tell if the server has ended.
func (c *Cluster) Take(ctx context.Context, name string, empty bool) (*Lease, error) {
	template := c.manifest.Template
	if empty {
		template = "template0"
	}
	sql := fmt.Sprintf("CREATE DATABASE %s OWNER %s TEMPLATE %s%s",
		pgx.Identifier{name}.Sanitize(), golden.Role, pgx.Identifier{template}.Sanitize(), c.strategy())
	if _, err := c.admin.Exec(ctx, sql); err != nil {
		return nil, c.explain("make cell "+name, err)
	}
	return &Lease{cluster: c, name: name}, nil
}

// strategy chooses how a clone is made. On memory, copying files beats writing every page to the log (15 ms against 30); on a disk
// the two checkpoints of FILE_COPY make it the slower one. Version 14 knows FILE_COPY alone, and no word for it.
func (c *Cluster) strategy() string {
	if c.server.Install().Version.Major < 15 || !c.server.InMemory() {
		return ""
	}
	return " STRATEGY FILE_COPY"
}

// explain adds what is known of the server to an error of one of its clients.
func (c *Cluster) explain(what string, err error) error {
	// A connection breaks before the keeper has told that the server ended.
	for deadline := time.Now().Add(100 * time.Millisecond); broken(err) && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if down := c.server.Err(); down != nil {
			return fmt.Errorf("%s: %w: %w", what, err, down)
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Name is the database's name.
func (l *Lease) Name() string { return l.name }

// URL is how the cell's role connects.
func (l *Lease) URL() string { return l.cluster.server.URL(golden.Role, l.name) }

// Return takes the cell back: sessions, prepared transactions and replication slots that the test left are ended, the database is dropped.
//
// Errors name the cell; it then stays until the server ends.
func (l *Lease) Return(ctx context.Context) error {
	drop := "DROP DATABASE " + pgx.Identifier{l.name}.Sanitize() + " WITH (FORCE)"
	_, err := l.cluster.admin.Exec(ctx, drop)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == objectInUse {
		if err = l.release(ctx); err == nil {
			_, err = l.cluster.admin.Exec(ctx, drop)
		}
	}
	if err != nil {
		return l.cluster.explain("drop cell "+l.name, err)
	}
	return nil
}

// objectInUse is the SQLSTATE of what keeps a database from being dropped even by force.
const objectInUse = "55006"

// release ends what belongs to no session: prepared transactions, which only a session of the same database can end, and inactive replication slots.
func (l *Lease) release(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, l.cluster.server.URL(AdminRole, l.name))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts WHERE database = current_database()"+
		" UNION ALL SELECT format('SELECT pg_drop_replication_slot(%L)', slot_name) FROM pg_replication_slots"+
		" WHERE database = current_database() AND NOT active")
	if err != nil {
		return err
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}
