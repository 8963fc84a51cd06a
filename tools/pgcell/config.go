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
	// Migrations holds SQL files, *.sql at any depth, which make the template in lexical order of their paths; files
	// that end in .down.sql are left out. They run once; the result is kept in the user's cache directory under the
	// hash of their names and contents. Default: none. When set, the template of the rule is not used.
	Migrations fs.FS
	// Migrate makes the template, or goes on after Migrations, with any tool: url names an empty database, as the role
	// that owns it. MigrateKey must be set too. Default: none.
	Migrate func(ctx context.Context, url string) error
	// MigrateKey stands for all that Migrate does, such as the version of the schema: another key makes another
	// template.
	MigrateKey string
	// Extensions are made by a superuser before Migrations run. Default: none.
	Extensions []string
	// Empty asks for an empty database, also where the test has a template. Default: false.
	Empty bool
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
