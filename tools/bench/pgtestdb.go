package main

import (
	"context"
	"database/sql"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx", which pgtestdb's README recommends
	"github.com/peterldowns/pgtestdb"

	"github.com/pgcell/pgcell/tools/internal/cache"
	"github.com/pgcell/pgcell/tools/internal/postgres"
)

// migrator makes a template for pgtestdb, from the same SQL as pgcell's.
type migrator struct{ template template }

func (m migrator) Hash() (string, error) { return m.template.name, nil }

func (m migrator) Migrate(ctx context.Context, db *sql.DB, _ pgtestdb.Config) error {
	for _, script := range m.template.recipe().Migrations {
		if _, err := db.ExecContext(ctx, script.SQL); err != nil {
			return err
		}
	}
	return nil
}

// pgtestdb uses the library as its README says: a server in memory that does not sync, the pgx driver, New for each
// test. The server is one as pgcell starts it, with the same settings, reached through the same kind of socket.
func (r *runner) pgtestdb(b body, _ int) (func(*test) querier, func() error, error) {
	if r.server == nil {
		e, err := cache.ReadEnviron()
		if err != nil {
			return nil, nil, err
		}
		config := postgres.Config{Install: r.install, Containment: e.Containment, Storage: e.Storage}
		if r.server, err = postgres.Start(r.ctx, config); err != nil {
			return nil, nil, err
		}
	}
	config := pgtestdb.Config{
		DriverName: "pgx", User: "postgres", Password: "unasked", Port: "5432", Database: "postgres",
		Options: "sslmode=disable&host=" + r.server.SocketDir(),
	}
	return func(tb *test) querier { return viaSQL{pgtestdb.New(tb, config, migrator{b.template})} }, nothing, nil
}
