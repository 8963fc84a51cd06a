package pgcell

import (
	"context"
	"io/fs"

	"github.com/jackc/pgx/v5/pgxpool"
)

// TB is what this package asks of a test: *testing.T and *testing.B have it.
type TB interface {
	Helper()
	Name() string
	Cleanup(func())
	Failed() bool
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Recycle says whether cells are used again.
type Recycle int

const (
	RecycleAuto  Recycle = iota // the default: use a cell again if it is then like a new clone
	RecycleNever                // the cell is a new clone, and is dropped after the test
)

// Config says what a cell contains. Its zero value gives a clone of the template that the rule pg_go_test names, or an
// empty database if there is none.
type Config struct {
	// Migrations holds the SQL files that make the template, *.sql at any depth: a folder of goose, golang-migrate, dbmate,
	// tern, Flyway and others, or plain files. They run in order of the numbers that their names begin with, and only the
	// way up is run: see docs/migrations.md. It is an error if the numbers leave the order open; set Order then. The
	// template is made once and kept in the user's cache directory under the hash of names and contents. Default: none.
	// If Migrations, Order, Migrate, Extensions, Roles, Settings, Locale or Superuser is set, the rule's template is not used.
	Migrations fs.FS
	// Order lists the files of Migrations in the order in which they run, by names or by patterns of path.Match. The
	// files of one pattern run in order of their numbers. It must cover all files except ways down. Default: in order of
	// their numbers.
	Order []string
	// Migrate makes the template with any tool. It runs after Migrations if both are set. url connects to the template's
	// database as the role that owns it. MigrateKey must be set too. Default: none.
	Migrate func(ctx context.Context, url string) error
	// MigrateKey names what Migrate makes, such as the version of the schema. A new key makes a new template.
	MigrateKey string
	// Extensions are created before Migrations run: "hstore", or with a schema and a version, "postgis VERSION '3.3' SCHEMA
	// gis". Default: none.
	Extensions []string
	// Roles are created before Migrations run. Each entry is what follows CREATE ROLE: "app_reader", "app_writer
	// NOINHERIT". The test's role, pgcell, may become each of them. "pgcell CREATEROLE" gives pgcell itself an attribute.
	// "auto" creates every missing role that Migrations mention, without LOGIN. Default: none.
	Roles []string
	// Settings are the server's parameters, as in postgresql.conf: {"wal_level": "logical"}, with values unquoted. Configs
	// with different settings have different templates and servers. Default: pgcell's settings, which favour speed.
	Settings map[string]string
	// Locale of the databases: one of the machine ("en_US.UTF-8"), "C", "icu:en-US" (PostgreSQL 15 or later), or
	// "builtin:C.UTF-8" (17 or later). Default: letters of all languages are classified as by C.UTF-8, and
	// text is ordered by its bytes.
	Locale string
	// Superuser makes the test's role a superuser, as it always is while Migrations run. Its cells are never used again.
	// Default: false.
	Superuser bool
	// Empty asks for an empty database, even if the test has a template. Default: false.
	Empty bool
	// Private asks for a server of the cell's own, with the same template. Nothing else runs on it: no transaction of
	// another test, or of pgcell's, holds back the horizon that pg_snapshot_xmin gives, and roles, their sessions, locks
	// and the names of prepared transactions are the test's alone. Not for Tx. Default: false, since it costs 100 to
	// 400 ms, by machine, and some 30 MB of memory.
	Private bool
	// Recycle says whether the cell may be one that an earlier test used, and whether a later test may use it: see
	// docs/isolation.md. Default: the value of the environment variable PGCELL_RECYCLE (auto, never or verify), or
	// RecycleAuto.
	Recycle Recycle
	// Pool changes the configuration of Cell.Pool before it is opened. Default: nil, which gives at most 4 connections.
	Pool func(*pgxpool.Config)
}

// one gives the single optional Config.
func one[C any](t TB, what string, config []C) C {
	t.Helper()
	var c C
	switch len(config) {
	case 0:
	case 1:
		c = config[0]
	default:
		t.Fatalf("%s: got %d configs, want at most one; call it once for each database", what, len(config))
	}
	return c
}
