// Package clone makes databases from templates by SQL, names and drops them.
//
// It also takes back what tests have done to the server as a whole: databases of their own, and parameters of roles.
package clone

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/renew"
)

// SQLSTATEs.
const (
	diskFull    = "53100" // a write finds no space
	objectInUse = "55006" // what keeps a database from being dropped even by force
)

// droppers bounds how many databases are dropped at once: where that has to wait, clones go on.
const droppers = 2

// Cloner makes and drops the databases of one server. It may be used concurrently.
//
// Locks: making, then mu. No lock of another package is taken while they are held.
type Cloner struct {
	server   *postgres.Server
	admin    *pgxpool.Pool
	manifest golden.Manifest
	warn     func(string)
	dropping chan struct{} // holds one value a database that is being dropped
	renames  atomic.Int64
	spare    sync.Mutex // held while the spare tablespace is made
	onDisk   bool       // the spare tablespace is there

	making sync.RWMutex // held for reading while a database is made
	mu     sync.Mutex
	own    map[uint32]bool // databases that no test has made, by oid
}

// New makes a Cloner for a server on a golden cluster that nobody has used yet. admin are connections of the superuser's;
// warn gets what users should know.
//
// Errors: those of the connection.
func New(ctx context.Context, server *postgres.Server, admin *pgxpool.Pool, m golden.Manifest, warn func(string)) (*Cloner, error) {
	rows, _ := admin.Query(ctx, "SELECT oid FROM pg_database") // CollectRows gives its error
	oids, err := pgx.CollectRows(rows, pgx.RowTo[uint32])
	if err != nil {
		return nil, fmt.Errorf("list the databases of the golden cluster: %w", err)
	}
	c := &Cloner{server: server, admin: admin, manifest: m, warn: warn, dropping: make(chan struct{}, droppers), own: map[uint32]bool{}}
	for _, oid := range oids {
		c.own[oid] = true
	}
	return c, nil
}

// Create makes a database from a template. Where memory comes to its end, it goes to disk.
//
// Errors name the database.
func (c *Cloner) Create(ctx context.Context, name, template string) (d renew.Database, err error) {
	c.making.RLock()
	defer c.making.RUnlock()
	if err = c.create(ctx, name, template); err == nil {
		d, err = renew.Identify(ctx, c.admin, name)
	}
	if err != nil {
		return d, fmt.Errorf("make cell %s: %w", name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.own[d.OID] = true
	return d, nil
}

func (c *Cloner) create(ctx context.Context, name, template string) error {
	sql := fmt.Sprintf("CREATE DATABASE %s OWNER %s TEMPLATE %s",
		pgx.Identifier{name}.Sanitize(), golden.Role, pgx.Identifier{template}.Sanitize())
	if c.Strategy() == fileCopy && c.server.Install().Version.Major >= 15 { // 14 has no word for it
		sql += " STRATEGY " + fileCopy
	}
	err := errNoRoom
	if !c.crowded(ctx) {
		_, err = c.admin.Exec(ctx, sql)
	}
	if noRoom(err) && c.server.InMemory() {
		if err = c.makeSpare(ctx); err == nil {
			_, err = c.admin.Exec(ctx, sql+" TABLESPACE "+spareTablespace)
		}
	}
	if dress := c.manifest.Facts.Dress(name, template); dress != "" && err == nil && template == c.manifest.Template {
		_, err = c.admin.Exec(ctx, dress)
	}
	return err
}

const fileCopy = "FILE_COPY"

// Strategy says how databases are made: "FILE_COPY" or "WAL_LOG". In memory, copying files beats writing every page to
// the log (15 ms against 30); on a disk the two checkpoints of FILE_COPY make it the slower one. PostgreSQL 14 knows
// FILE_COPY alone.
func (c *Cloner) Strategy() string {
	if c.server.Install().Version.Major < 15 || c.server.InMemory() {
		return fileCopy
	}
	return "WAL_LOG"
}

// Drop removes a database, with sessions, prepared transactions and replication slots in it.
//
// Errors name the database; it then stays until the server ends.
func (c *Cloner) Drop(ctx context.Context, name string, oid uint32) error {
	if err := c.drop(ctx, name); err != nil {
		return fmt.Errorf("drop cell %s: %w", name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.own, oid)
	return nil
}

func (c *Cloner) drop(ctx context.Context, name string) error {
	c.dropping <- struct{}{}
	defer func() { <-c.dropping }()
	if undress := c.manifest.Facts.Undress(name); undress != "" {
		if _, err := c.admin.Exec(ctx, undress); err != nil {
			return err
		}
	}
	sql := "DROP DATABASE IF EXISTS " + pgx.Identifier{name}.Sanitize() + " WITH (FORCE)"
	_, err := c.admin.Exec(ctx, sql)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == objectInUse {
		if err = c.release(ctx, name); err == nil {
			_, err = c.admin.Exec(ctx, sql)
		}
	}
	return err
}

// release ends what belongs to no session: prepared transactions, which only a session of the same database can end,
// and inactive replication slots.
func (c *Cloner) release(ctx context.Context, name string) error {
	conn, err := c.server.Connect(ctx, golden.Superuser, name)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	rows, _ := conn.Query(ctx, "SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts WHERE database = current_database()"+
		" UNION ALL SELECT format('SELECT pg_drop_replication_slot(%L)', slot_name) FROM pg_replication_slots"+
		" WHERE database = current_database() AND NOT active") // CollectRows gives its error
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, sql := range statements {
		if err == nil {
			_, err = conn.Exec(ctx, sql)
		}
	}
	return err
}

// stray is a database that a test has made.
type stray struct {
	Name     string
	Template bool
}

// DropStrays drops the databases that tests have made. Call it while no test has a database. It does nothing while a
// database is being made, which could not be told from them.
//
// Errors: of the first that could not be dropped.
func (c *Cloner) DropStrays(ctx context.Context) error {
	if !c.manifest.Facts.MayCopy || !c.making.TryLock() {
		return nil
	}
	defer c.making.Unlock()
	var own []uint32
	c.mu.Lock()
	for oid := range c.own {
		own = append(own, oid)
	}
	c.mu.Unlock()
	rows, _ := c.admin.Query(ctx, "SELECT datname::text, datistemplate FROM pg_database WHERE oid <> ALL ($1::oid[])", own)
	strays, err := pgx.CollectRows(rows, pgx.RowToStructByPos[stray]) // has Query's error
	for _, s := range strays {
		if err == nil && s.Template {
			_, err = c.admin.Exec(ctx, "ALTER DATABASE "+pgx.Identifier{s.Name}.Sanitize()+" IS_TEMPLATE false")
		}
		if err == nil {
			err = c.drop(ctx, s.Name)
		}
	}
	return err
}
