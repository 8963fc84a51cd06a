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
	RecycleAuto  Recycle = iota // where nobody can tell; the default
	RecycleNever                // this cell is a new clone, and is dropped after the test
)

// Config says what a cell holds. Its zero value is a clone of the test's template: that of the rule pg_go_test, or an
// empty database where there is none.
type Config struct {
	// Migrations holds the SQL files that make the template, *.sql at any depth: a folder of goose, golang-migrate, dbmate,
	// tern, Flyway and others, or plain files. They run in order of the numbers that their names begin with, the way up
	// alone: see docs/migrations.md. A set of files whose order the numbers leave open is an error; Order mends it. The
	// template is made once and kept in the user's cache directory under the hash of names and contents. Default: none.
	// When set, the template of the rule is not used; nor is it with any of Migrate, Extensions, Roles, Settings, Locale
	// and Superuser.
	Migrations fs.FS
	// Order says in which order files of Migrations run: names, or patterns of path.Match, whose files are put in order
	// of their numbers. It has to cover all files other than ways down. Default: in order of their numbers.
	Order []string
	// Migrate makes the template, or goes on after Migrations, with any tool: url names an empty database, as the role
	// that owns it. MigrateKey must be set too. Default: none.
	Migrate func(ctx context.Context, url string) error
	// MigrateKey stands for all that Migrate does, such as the version of the schema: another key makes another
	// template.
	MigrateKey string
	// Extensions are made before Migrations run: "hstore", or with a schema and a version, "postgis VERSION '3.3' SCHEMA
	// gis". Default: none.
	Extensions []string
	// Roles are made before Migrations run; each is what follows CREATE ROLE: "app_reader", "app_writer NOINHERIT". The
	// test's role, pgcell, may become each of them, and "pgcell CREATEROLE" gives that role more. "auto" makes every role
	// that Migrations mention and nobody has made, without LOGIN. Default: none.
	Roles []string
	// Settings of the server of postgresql.conf, such as {"wal_level": "logical"}; values unquoted. Configs with other
	// settings have another template, and a server of their own. Default: those of pgcell, which favour speed.
	Settings map[string]string
	// Locale of the databases: one of the machine ("en_US.UTF-8"), "C", "icu:en-US" (PostgreSQL 15 or later), or
	// "builtin:C.UTF-8" (17 or later). Default: letters of all languages are told from other characters, as by C.UTF-8,
	// and text is ordered by its bytes.
	Locale string
	// Superuser makes the test's role a superuser, as it always is while Migrations run. Its cells are never recycled.
	// Default: false.
	Superuser bool
	// Empty asks for an empty database, also where the test has a template. Default: false.
	Empty bool
	// Private asks for a server of the cell's own, with the same template. Nothing else runs on it: no transaction of
	// another test, or of pgcell's, holds back the horizon that pg_snapshot_xmin gives, and roles, their sessions, locks
	// and the names of prepared transactions are the test's alone. Not for Tx. Default: false, since it costs 100 to
	// 400 ms, by machine, and some 30 MB of memory.
	Private bool
	// Recycle says whether the cell may be one that an earlier test has used, and be used again: see docs/isolation.md.
	// Default: RecycleAuto, or what the environment variable PGCELL_RECYCLE says: auto, never or verify.
	Recycle Recycle
	// Pool adjusts the pool of Cell.Pool before it is opened. Default: nil, at most 4 connections.
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
