// Package facts reads from a migrated template what decides how a clone of it is made like new after a test.
package facts

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Template tells what of a template decides how a clone of it is made like new after a test. Object identifiers are the
// same in each clone, since CREATE DATABASE copies the catalogs.
type Template struct {
	Size      int64      // of the template on disk, bytes
	Tables    []Table    // those that a recycler may take rows out of
	Others    []uint32   // all other tables, partitioned ones and materialized views among them
	First     int64      // the first transaction that may be a test's
	Sequences []Sequence // all, with their state in the template
	// Discard says why no clone is ever used again, such as an access method whose changes nobody counts; "" where
	// nothing is against it.
	Discard string
	// Cold says why no connection is handed from test to test, such as a language that keeps state of its own in a
	// session; "" where nothing is against it.
	Cold string
	// MayCopy tells that tests may make databases, also with their own as the template, which must have no sessions.
	MayCopy bool
	// Roles are parameters that roles have in every database, in the form of RoleSettings.
	Roles string
	// Settings are parameters of the database, in the form of DatabaseSettings; "" where there are none.
	Settings string
	// Grants are the statements that give a database the template's rights on it; %s stands for its name.
	Grants []string
	// Unlogged tells that a crash of the server takes rows, or a sequence's state, from the template.
	Unlogged bool
}

// nextTransaction is a query's expression for the number of the first transaction that has not begun, as xmin has it.
const nextTransaction = "pg_snapshot_xmax(pg_current_snapshot())::text::int8 & (1::int8 << 32) - 1"

const unloggedQuery = `
SELECT EXISTS (SELECT FROM pg_class WHERE relpersistence = 'u' AND (
  relkind IN ('r', 'm') AND pg_relation_size(oid) > 0 OR relkind = 'S' AND pg_sequence_last_value(oid) IS NOT NULL))`

const mayCopyQuery = "SELECT rolcreatedb FROM pg_roles WHERE rolname = $1"

// Read looks at the template, as a superuser connected to it, once all is in it. role is that of tests.
//
// Errors: those of the connection.
func Read(ctx context.Context, conn *pgx.Conn, role string) (f Template, err error) {
	scalars := map[string]any{
		"SELECT pg_database_size(current_database())": &f.Size,
		discardQuery:                &f.Discard,
		"SELECT " + RoleSettings:    &f.Roles,
		unloggedQuery:               &f.Unlogged,
		"SELECT " + nextTransaction: &f.First,
	}
	for sql, target := range scalars {
		if err := conn.QueryRow(ctx, sql).Scan(target); err != nil {
			return f, fmt.Errorf("look at template: %w", err)
		}
	}
	if err := conn.QueryRow(ctx, mayCopyQuery, role).Scan(&f.MayCopy); err != nil {
		return f, fmt.Errorf("look at template: read the rights of role %s: %w", role, err)
	}
	if err := f.ofDatabase(ctx, conn); err != nil {
		return f, fmt.Errorf("look at template: read what holds for the database: %w", err)
	}
	if f.Cold, err = cold(ctx, conn); err != nil {
		return f, fmt.Errorf("look at template: look for code that leaves something in sessions: %w", err)
	}
	if f.Tables, err = EmptyTables(ctx, conn); err != nil {
		return f, fmt.Errorf("look at template: list empty tables: %w", err)
	}
	if err = classes(ctx, conn, f.Tables); err != nil {
		return f, fmt.Errorf("look at template: find tables in pg_class: %w", err)
	}
	seeded, err := seededTables(ctx, conn)
	if err != nil {
		return f, fmt.Errorf("look at template: list tables with a few rows: %w", err)
	}
	f.Tables = append(f.Tables, seeded...)
	if f.Others, err = others(ctx, conn, f.Tables); err != nil {
		return f, fmt.Errorf("look at template: list other tables: %w", err)
	}
	if err = trees(ctx, conn, f.Tables); err != nil {
		return f, fmt.Errorf("look at template: measure indexes: %w", err)
	}
	if f.Sequences, err = sequences(ctx, conn); err != nil {
		return f, fmt.Errorf("look at template: list sequences: %w", err)
	}
	return f, nil
}

func collect[T any](ctx context.Context, conn *pgx.Conn, sql string, args ...any) ([]T, error) {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[T])
}
