package pgcell

import (
	"context"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/conns"
	"github.com/pgcell/pgcell/tools/internal/foreign"
	"github.com/pgcell/pgcell/tools/internal/postgres"
)

// ServerConfig configures a private server. Its zero value gives a server like that of cells.
type ServerConfig struct {
	// Settings are parameters of postgresql.conf, such as {"wal_level": "logical"}, with values unquoted. ALTER SYSTEM
	// overrides them.
	// Default: none.
	Settings map[string]string
}

// PrivateServer is a PostgreSQL server for one test, which may change what cells share: roles, settings, replication
// slots, tablespaces.
type PrivateServer struct {
	t      TB
	server *postgres.Server
	pool   *pgxpool.Pool
}

// Server starts a server for this test only. It ends with the test. Cost: 100 to 400 ms, depending on the machine, and
// some 30 MB of memory.
func Server(t TB, config ...ServerConfig) *PrivateServer {
	t.Helper()
	c := one(t, "pgcell.Server", config)
	if err := foreign.ForPrivate(os.Getenv); err != nil {
		t.Fatalf("pgcell.Server: %v", err)
	}
	enter(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cluster, err := process.start(ctx, Config{}, func(cluster *cells.Config) {
		cluster.Settings, cluster.Superuser = c.Settings, true
	})
	if err != nil {
		t.Fatalf("pgcell.Server: %v", err)
	}
	t.Cleanup(func() {
		t.Helper()
		tell(t, cluster.Server().FullSince(0))
		if err := cluster.Close(); err != nil {
			t.Logf("pgcell: close private server: %v", err)
		}
	})
	s := &PrivateServer{t: t, server: cluster.Server()}
	pool := s.server.PoolConfig(cells.AdminRole, cells.AdminDatabase)
	pool.MaxConns = serverPoolSize
	if s.pool, err = pgxpool.NewWithConfig(context.Background(), pool); err != nil {
		t.Fatalf("pgcell.Server: open pool: %v", err)
	}
	t.Cleanup(func() { conns.Soon(s.pool.Close) })
	return s
}

// URL is what any client connects with, as the superuser postgres to the database postgres.
func (s *PrivateServer) URL() string { return s.server.URL(cells.AdminRole, cells.AdminDatabase) }

// URLFor is what a role connects to a database with. Both must exist, and the role must have LOGIN. There are no
// passwords.
func (s *PrivateServer) URLFor(role, database string) string { return s.server.URL(role, database) }

// Config is a new copy of what [pgx.ConnectConfig] takes, for URL.
func (s *PrivateServer) Config() *pgx.ConnConfig {
	return s.server.ConnConfig(cells.AdminRole, cells.AdminDatabase)
}

// Pool is a pool of at most 4 connections to URL, closed after the test.
func (s *PrivateServer) Pool() *pgxpool.Pool { return s.pool }

// Dir is an empty directory that the server can write to, for tablespaces. It may lie in a namespace of the server, so
// the test itself may not see it.
func (s *PrivateServer) Dir() string { return s.server.FilesDir() }

// Log is the end of the server's log, at most 20 lines.
func (s *PrivateServer) Log() string { return s.server.Log() }

// Restart stops the server with a checkpoint and starts it again. All connections break, and the pool opens new ones.
// Cost: about 100 ms.
//
// Errors: if a setting keeps the server from starting, an error with the end of the server's log.
func (s *PrivateServer) Restart(ctx context.Context) error {
	if err := s.server.Restart(ctx); err != nil {
		return fmt.Errorf("restart private server: %w", err)
	}
	s.pool.Reset()
	return nil
}

// serverPoolSize is how many connections the pool of a private server may have.
const serverPoolSize = 4
