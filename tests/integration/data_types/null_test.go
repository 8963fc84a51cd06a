package datatypes_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// boolean reads many spellings and prints t and f; Go sees bool.
func TestBooleanSpellings(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	for _, spelling := range []string{"true", "t", "yes", "y", "on", "1", " TRUE "} {
		check.Value(t, db, true, `SELECT $1::text::boolean`, spelling)
	}
	check.Fails(t, db, "22P02", `SELECT $1::text::boolean`, "maybe")
	check.Value(t, db, 0, `SELECT false::int`)
}

// Logic with NULL has three values: unknown stays unknown unless the other side settles it.
func TestThreeValuedLogic(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	yes, no := true, false
	for expression, want := range map[string]*bool{
		`NULL AND true`: nil, `NULL AND false`: &no, `NULL OR true`: &yes, `NULL OR false`: nil,
		`NOT NULL::bool`: nil,
		`NULL = NULL`:    nil, `NULL IS NULL`: &yes, `1 IS DISTINCT FROM NULL`: &yes,
		`NULL IS NOT DISTINCT FROM NULL`: &yes,
		`1 IN (1, NULL)`:                 &yes, `2 IN (1, NULL)`: nil,
		`2 NOT IN (1, NULL)`: nil, `(1 = NULL) IS UNKNOWN`: &yes,
	} {
		check.Equal(t, expression, check.One[*bool](t, db, `SELECT (`+expression+`)::bool`), want)
	}
}

// A NULL comes as a nil pointer, as database/sql's Null types, or as a pgtype that is not Valid; into a plain type
// it is an error.
func TestNullInGo(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Equal(t, "*string", check.One[*string](t, db, `SELECT NULL::text`), nil)
	check.Equal(t, "sql.NullInt64", check.One[sql.NullInt64](t, db, `SELECT NULL::bigint`), sql.NullInt64{})
	check.Equal(t, "sql.Null", check.One[sql.Null[string]](t, db, `SELECT 'a'::text`),
		sql.Null[string]{V: "a", Valid: true})
	check.Equal(t, "pgtype.Bool", check.One[pgtype.Bool](t, db, `SELECT NULL::bool`), pgtype.Bool{})
	check.Equal(t, "*time.Time", check.One[*time.Time](t, db, `SELECT NULL::timestamptz`), nil)

	var plain string
	if err := db.QueryRow(t.Context(), `SELECT NULL::text`).Scan(&plain); err == nil {
		t.Error("scan of NULL into a string: got no error, want one")
	}
	var nothing *int
	check.Value(t, db, true, `SELECT $1::int IS NULL`, nothing)
}

// Aggregates skip NULLs, save count(*); sum of nothing is NULL, not zero.
func TestNullInAggregates(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (n int)`)
	check.Equal(t, "sum of no rows", check.One[*int](t, db, `SELECT sum(n)::int FROM items`), nil)
	check.Exec(t, db, `INSERT INTO items VALUES (1), (NULL), (3)`)
	type row struct {
		Rows, Values int
		Average      float64
		All          []*int
	}
	one, three := 1, 3
	check.Equal(t, "aggregates",
		check.Structs[row](t, db, `SELECT count(*), count(n), avg(n)::float8, array_agg(n ORDER BY n) FROM items`),
		[]row{{3, 2, 2, []*int{&one, &three, nil}}})
}

// NULLs sort as if greater than all values unless the query says otherwise.
func TestNullOrder(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (n int)`)
	check.Exec(t, db, `INSERT INTO items VALUES (2), (NULL), (1)`)
	for order, want := range map[string][]int{
		"n": {1, 2, -1}, "n DESC": {-1, 2, 1}, "n NULLS FIRST": {-1, 1, 2}, "n DESC NULLS LAST": {2, 1, -1}} {
		check.Equal(t, "ORDER BY "+order,
			check.Column[int](t, db, `SELECT coalesce(n, -1) FROM items ORDER BY `+order), want)
	}
}

// A unique constraint lets many NULLs in, until NULLS NOT DISTINCT (PostgreSQL 15) says that they are equal.
func TestNullsNotDistinct(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE users (email text UNIQUE)`)
	check.Exec(t, db, `INSERT INTO users VALUES (NULL), (NULL)`)
	check.NeedVersion(t, db, 15, "UNIQUE NULLS NOT DISTINCT")
	check.Exec(t, db, `CREATE TABLE items (code text UNIQUE NULLS NOT DISTINCT)`)
	check.Exec(t, db, `INSERT INTO items VALUES (NULL)`)
	check.Fails(t, db, "23505", `INSERT INTO items VALUES (NULL)`)
}
