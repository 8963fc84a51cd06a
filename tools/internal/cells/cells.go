package cells

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/budget"
	"github.com/pgcell/pgcell/tools/internal/clone"
	"github.com/pgcell/pgcell/tools/internal/conf"
	"github.com/pgcell/pgcell/tools/internal/conns"
	"github.com/pgcell/pgcell/tools/internal/facts"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/keeper"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/renew"
	"github.com/pgcell/pgcell/tools/internal/storage"
)

// AdminDatabase and AdminRole are for statements on the whole cluster.
const (
	AdminDatabase = "postgres"
	AdminRole     = golden.Superuser
)

const (
	// admins bounds the connections that make and drop cells: cloning is work of the server's, which more of them do not
	// speed up.
	admins       = 4
	narrow       = 4          // connections of Cell.Pool
	wide         = 16         // of Cell.DB, whose users expect no limit at all
	resting      = 2          // that stay with a cell between tests
	connsPerCell = narrow + 1 // the most that one leased cell can hold: a full pool, and the cleaner's
	// reservedForSuperusers is the default of superuser_reserved_connections.
	reservedForSuperusers = 3
)

// ahead is how many cells are kept ready for tests that run at once, or whose cells are dropped.
var ahead = min(max(2, runtime.GOMAXPROCS(0)), 8)

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
	Golden       string             // path of the golden cluster; absolute
	Install      binaries.Install   // that runs it; of the same major version as the one that made it
	Containment  keeper.Containment // see [postgres.Config]
	SocketParent string             // see [postgres.Config]
	Storage      storage.Kind       // see [postgres.Config]
	Settings     map[string]string  // on top of those of the golden cluster
	StorageLimit int64              // see [postgres.Config]
	Superuser    bool               // clients may connect as the superuser too, and no cell is used again
	// RolePassword is what clients need to connect: see [postgres.Config]. Default: none.
	RolePassword string
	Recycle      Recycle
	// Ahead is 0, for a few cells ahead of need once tests have shown one, or AheadOff.
	Ahead int
	// Parallel is how many tests run at once at most, not counting those that wait for subtests; 0, where nobody knows,
	// counts as 16. As many cells are kept for the next tests.
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
	server      conns.Server
	manifest    golden.Manifest
	clones      *clone.Cloner
	closing     sync.Once
	names       atomic.Int64
	recycling   chan struct{}  // holds one value a cell that is being recycled
	busy        atomic.Int64   // goroutines that make, recycle and drop cells
	connections *budget.Budget // that leases may open
	uncounted   string         // see [renew.Uncounted]
	cloned      pool           // from the template
	empty       pool           // from template0
}

// Open starts a server on a golden cluster. Cost: 100 to 400 ms, by machine.
//
// Errors: [*archive.DamagedError] and those of [postgres.Start].
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
	maps.Copy(settings, m.Settings)
	maps.Copy(settings, c.Settings)
	password := golden.Password
	if (c.Superuser || m.Superuser) && c.RolePassword == "" {
		password = ""
	}
	server, err := postgres.Start(ctx, postgres.Config{
		Password: password, RolePassword: c.RolePassword, OnePassword: c.Superuser, Install: c.Install, Source: golden.Source(c.Golden), Settings: settings,
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
	config := c.server.OwnConfig(AdminRole, AdminDatabase)
	config.MaxConns = admins
	// Each statement is sent once: a description of it first would be a second round trip.
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	if c.server.Admin, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return err
	}
	if c.clones, err = clone.New(ctx, c.server.Server, c.server.Admin, c.manifest, c.warn); err != nil {
		return err
	}
	conn, err := c.server.Admin.Acquire(ctx)
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

func newCluster(config Config, server *postgres.Server, m golden.Manifest, settings map[string]string) *Cluster {
	c := &Cluster{config: config, manifest: m, recycling: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))}
	c.server.Server, c.server.Warn, c.server.Health.Unlogged = server, c.warn, m.Facts.Unlogged
	connections, err := strconv.Atoi(settings["max_connections"])
	if err != nil {
		connections = conf.MaxConnections
	}
	// Clients that connect by URL cannot be made to wait: an eighth is for them. Cells that are ready have connections, too.
	places := connections - connections/8 - reservedForSuperusers - admins - ahead*connsPerCell
	c.connections = budget.New(budget.Config{
		What: "connections", Places: max(places, connsPerCell), Reserve: max(places, 0) / 8, Warn: c.warn, Err: server.Err,
		Remedy: fmt.Sprintf("run fewer tests at once (go test -parallel), call t.Parallel before a test gets its database, or set "+
			"max_connections, which is %d, higher", connections),
	})
	t := renew.Template{Facts: &c.manifest.Facts, Major: c.major(), Slots: settings["wal_level"] == "logical"}
	if n, _ := strconv.Atoi(settings["max_prepared_transactions"]); n > 0 {
		t.Prepared = true
	}
	none := t
	none.Facts = &facts.Template{MayCopy: m.Facts.MayCopy, Roles: m.Facts.Roles}
	c.cloned = pool{cluster: c, template: m.Template, facts: t.Facts, renewed: &t}
	c.empty = pool{cluster: c, template: "template0", facts: none.Facts, renewed: &none}
	return c
}

// Server is the server behind the cells.
func (c *Cluster) Server() *postgres.Server { return c.server.Server }

// Manifest tells what the golden cluster holds.
func (c *Cluster) Manifest() golden.Manifest { return c.manifest }

// Admin gives connections of the superuser, to the database [AdminDatabase].
func (c *Cluster) Admin() *pgxpool.Pool { return c.server.Admin }

// Strategy says how cells are cloned: "FILE_COPY" or "WAL_LOG".
func (c *Cluster) Strategy() string { return c.clones.Strategy() }

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

// behind does something while nobody waits for it.
func (c *Cluster) behind(do func()) {
	c.busy.Add(1)
	go func() {
		defer c.busy.Add(-1)
		do()
	}()
}

// Quiet waits until no cell is being made, recycled or dropped.
//
// Errors: that of ctx.
func (c *Cluster) Quiet(ctx context.Context) error {
	for c.busy.Load() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// Close ends the server and all cells.
func (c *Cluster) Close() error {
	var err error
	c.closing.Do(func() {
		if c.server.Admin != nil {
			c.server.Admin.Close()
		}
		err = c.server.Close()
	})
	return err
}
