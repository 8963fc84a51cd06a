// Package cells hands out isolated databases, and takes them back.
//
// A [Cluster] is one private server on a golden cluster. Take gives a [Lease] on a database of its own, which nobody
// has used or which has been made like one that nobody has used; Return takes it back, without a wait. Cells are made
// ahead of need. Only this package writes DDL for cells.
//
// A cell is recycled where the counters of PostgreSQL account for all that a test has changed, by rows in tables that
// were empty; it is dropped where anything else has changed, or may have.
package cells

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/budget"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/renew"
	"github.com/pgcell/pgcell/tools/internal/session"
)

// AdminDatabase and AdminRole are for statements on the whole cluster.
const (
	AdminDatabase = "postgres"
	AdminRole     = "postgres"
)

// admins bounds the connections that make and drop cells: cloning is work of the server's, which more of them do not
// speed up.
const admins = 4

// droppers bounds how many cells are dropped at once: where that has to wait, clones go on.
const droppers = admins / 2

// filled is how many connections a leased cell has whose pool is full; one is the warden's.
const filled = narrow + 1

// usually is how many connections cells may have before those that rest are asked back: each is a process, of some 2 MB.
const usually = 16 * filled

// reservedForSuperusers is the default of superuser_reserved_connections.
const reservedForSuperusers = 3

// Recycle says whether cells are used again.
type Recycle string

const (
	Auto   Recycle = ""       // where that leaves no trace of the test before
	Never  Recycle = "never"  // each test gets a new clone
	Verify Recycle = "verify" // as Auto, and each recycled cell is compared with a new clone; slow
)

// ParseRecycle reads "auto" (or ""), "never" or "verify".
func ParseRecycle(s string) (Recycle, error) {
	switch r := Recycle(s); r {
	case Auto, Never, Verify:
		return r, nil
	case "auto":
		return Auto, nil
	}
	return "", fmt.Errorf("PGCELL_RECYCLE is %q; want auto, never or verify", s)
}

// AheadOff as [Config.Ahead] makes no cell before a test asks for one.
const AheadOff = -1

// Config says what [Open] runs.
type Config struct {
	Golden       string               // path of the golden cluster; absolute
	Install      postgres.Install     // that runs it; of the same major version as the one that made it
	Containment  postgres.Containment // see [postgres.Config]
	SocketParent string               // see [postgres.Config]
	Storage      postgres.Storage     // see [postgres.Config]
	Settings     map[string]string    // on top of those of the golden cluster
	StorageLimit int64                // see [postgres.Config]
	Superuser    bool                 // clients may connect as the superuser too, and no cell is used again
	// RolePassword is what clients need to connect: see [postgres.Config]. Default: none.
	RolePassword string
	Recycle      Recycle
	// Ahead is 0, for as many cells ahead of need as tests were seen to use, or AheadOff.
	Ahead int
	// Parallel is how many tests run at once at most, not counting those that wait for subtests; 0 where nobody knows.
	Parallel int
	// NewName gives the name of a cell, another each time; default: "cell_" and a number.
	NewName func() string
	// Warn gets what users should know: sessions that a test left, long waits. Default: nobody.
	Warn func(string)
	// Trace gets what explains the cost of cells. Default: nobody.
	Trace func(string)
}

// Cluster is a running server whose databases are cells. It may be used concurrently. Close it, or let the process end.
type Cluster struct {
	config      Config
	server      *postgres.Server
	manifest    golden.Manifest
	admin       *pgxpool.Pool
	closing     sync.Once
	names       atomic.Int64
	renames     atomic.Int64
	recycling   chan struct{} // holds one value a cell that is being recycled
	dropping    chan struct{} // holds one value a cell that is being dropped
	busy        atomic.Int64  // goroutines that make, recycle and drop cells
	work        chan func()   // for those that wait for more: see behind
	spare       spare
	databases   databases
	copying     sync.RWMutex           // held by who copies a template's files, and alone by who adds one
	reflinks    atomic.Int32           // see reflink
	crashed     atomic.Bool            // a process of the server has, and with it all connections
	counted     atomic.Pointer[string] // since when the server counts: see countedSince
	keys        session.Keys           // of sessions' clients
	connections *budget.Budget         // held by cells
	leases      *budget.Budget         // held by leases
	most        int                    // max_connections of the server
	usual       int                    // how many tests run at once, with a cell each
	uncounted   string                 // see [renew.Uncounted]
	cloned      pool                   // from the template
	empty       pool                   // from template0
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
	password := golden.Password
	if (c.Superuser || m.Superuser) && c.RolePassword == "" {
		password = ""
	}
	server, err := postgres.Start(ctx, postgres.Config{
		Password: password, RolePassword: c.RolePassword, Install: c.Install, Source: golden.Source(c.Golden), Settings: settings,
		Containment: c.Containment, SocketParent: c.SocketParent, Storage: c.Storage, StorageLimit: c.StorageLimit,
	})
	if err != nil {
		return nil, err
	}
	cluster := newCluster(c, server, m, settings)
	if err := cluster.connect(ctx); err != nil {
		cluster.Close()
		return nil, fmt.Errorf("connect to the server of golden cluster %q: %w", c.Golden, err)
	}
	if why := m.Facts.Cold; why != "" && cluster.cloned.discard() == "" {
		cluster.trace("no connection goes on to the next test: " + why)
	}
	return cluster, nil
}

// connect opens the pool of the superuser's connections, and asks whether cells can be used again.
func (c *Cluster) connect(ctx context.Context) (err error) {
	if err = c.server.ChangePassword(ctx); err != nil {
		return err
	}
	if c.admin, err = openAdmin(ctx, c.server); err != nil {
		return err
	}
	conn, err := c.admin.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if err := golden.CheckCollations(ctx, conn.Conn(), c.manifest); err != nil {
		return err
	}
	c.uncounted, err = renew.Uncounted(ctx, conn.Conn(), c.major())
	return err
}

func openAdmin(ctx context.Context, server *postgres.Server) (*pgxpool.Pool, error) {
	config := server.OwnConfig(AdminRole, AdminDatabase)
	config.MaxConns = admins
	// Each statement is sent once: a description of it first would be a second round trip.
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	return pgxpool.NewWithConfig(ctx, config)
}

func newCluster(config Config, server *postgres.Server, m golden.Manifest, settings map[string]string) *Cluster {
	c := &Cluster{
		config: config, server: server, manifest: m,
		recycling: make(chan struct{}, recyclers), dropping: make(chan struct{}, droppers), work: make(chan func()),
	}
	connections, err := strconv.Atoi(settings["max_connections"])
	if err != nil {
		connections = postgres.MaxConnections
	}
	// Clients that connect by URL cannot be made to wait: an eighth is for them.
	forURLs := max(3, connections/8)
	places := max(2*filled, connections-reservedForSuperusers-admins-forURLs)
	c.most = connections
	c.connections = budget.New(budget.Config{
		What: "connections", Places: places, Warn: c.warn, Release: c.shed, Reclaim: c.reclaim, Low: places - usually,
		Reserve: forURLs, Idle: c.noStatementRuns, Err: server.Err, Remedy: fmt.Sprintf("use fewer connections at once, run fewer tests at "+
			"once (go test -parallel), or set max_connections, which is %d, higher", connections),
	})
	c.usual = min(places/filled, max(usually/filled, runtime.GOMAXPROCS(0)))
	c.leases = budget.New(budget.Config{
		What: "databases", Places: c.usual, Warn: c.warn, Extra: c.hasRoom, Err: server.Err,
		Eager: 0 < config.Parallel && config.Parallel <= c.usual,
	})
	t := renew.Template{Facts: &c.manifest.Facts, Major: c.major(), Slots: settings["wal_level"] == "logical"}
	if n, _ := strconv.Atoi(settings["max_prepared_transactions"]); n > 0 {
		t.Prepared = true
	}
	none := t
	none.Facts = &golden.Facts{MayCopy: m.Facts.MayCopy, Roles: m.Facts.Roles}
	c.cloned = pool{cluster: c, template: m.Template, facts: t.Facts, renewed: &t}
	c.empty = pool{cluster: c, template: "template0", facts: none.Facts, renewed: &none}
	return c
}

// Server is the server behind the cells.
func (c *Cluster) Server() *postgres.Server { return c.server }

// Manifest tells what the golden cluster holds.
func (c *Cluster) Manifest() golden.Manifest { return c.manifest }

// Admin gives connections of the superuser, to the database [AdminDatabase].
func (c *Cluster) Admin() *pgxpool.Pool { return c.admin }

func (c *Cluster) major() int { return c.server.Install().Version.Major }

func (c *Cluster) warn(s string) {
	if c.config.Warn != nil {
		c.config.Warn(s)
	}
}

func (c *Cluster) trace(s string) {
	if c.config.Trace != nil {
		c.config.Trace(s)
	}
}

func (c *Cluster) newName() string {
	if c.config.NewName != nil {
		return c.config.NewName()
	}
	return fmt.Sprintf("cell_%d", c.names.Add(1))
}

func (c *Cluster) shed() {
	c.cloned.shed()
	c.empty.shed()
}

// Close ends the server and all cells.
func (c *Cluster) Close() error {
	var err error
	c.closing.Do(func() {
		if c.admin != nil {
			c.admin.Close()
		}
		err = c.server.Close()
	})
	return err
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
