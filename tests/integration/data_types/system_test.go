package datatypes_test

import (
	"testing"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// A reg* type is an oid that prints as the object's name and reads a name back, so catalogs can be asked without
// joins.
func TestRegTypes(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE SCHEMA shop; CREATE TABLE shop.items (id int); CREATE TABLE "Odd name" (id int)`)
	for expression, want := range map[string]string{
		`'shop.items'::regclass`:                 "shop.items",
		`'"Odd name"'::regclass`:                 `"Odd name"`,
		`'int'::regtype`:                         "integer",
		`'_int4'::regtype`:                       "integer[]",
		`'pg_catalog.lower(text)'::regprocedure`: "lower(text)",
		`'shop'::regnamespace`:                   "shop",
		`'english'::regconfig`:                   "english",
		`current_user::regrole`:                  "pgcell",
		`'+(int,int)'::regoperator`:              "+(integer,integer)",
	} {
		check.Equal(t, expression, check.One[string](t, db, `SELECT (`+expression+`)::text`), want)
	}
	check.Fails(t, db, "42P01", `SELECT 'nothing'::regclass`)
	check.Value[*string](t, db, nil, `SELECT to_regclass('nothing')::text`) // asks without an error
}

// An oid is an unsigned 32-bit number: Go reads it as uint32.
func TestOID(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Value(t, db, uint32(4294967295), `SELECT 4294967295::oid`)
	check.Value(t, db, uint32(23), `SELECT 'int'::regtype::oid`)
	check.Fails(t, db, "22003", `SELECT '4294967296'::oid`)
}

// pg_lsn is a place in the write-ahead log; subtracting two gives bytes.
func TestLSN(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Value(t, db, 16, `SELECT ('16/B374D858'::pg_lsn - '16/B374D848'::pg_lsn)::int`)
	check.Value(t, db, "16/B374D849", `SELECT ('16/B374D848'::pg_lsn + 1)::text`)
	check.Value(t, db, true, `SELECT pg_current_wal_lsn() > '0/0'`)
}

// xid8 numbers transactions and never wraps around; a snapshot says which of them a query could see.
func TestTransactionIDs(t *testing.T) {
	t.Parallel()
	tx := pgcell.Tx(t)
	check.Value[*string](t, tx, nil, `SELECT pg_current_xact_id_if_assigned()::text`) // a reader needs no number
	check.Value(t, tx, true, `SELECT pg_current_xact_id() >= pg_snapshot_xmin(pg_current_snapshot())`)
	check.Value(t, tx, "in progress", `SELECT pg_xact_status(pg_current_xact_id())`)
	check.Value(t, tx, "10:20:10,14,15", `SELECT '10:20:10,14,15'::pg_snapshot::text`)
}

// Every row has hidden columns: where it lies (ctid), who wrote it (xmin), which table it is in (tableoid).
func TestSystemColumns(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (n int); INSERT INTO items VALUES (1), (2)`)
	check.Values(t, db, []string{"(0,1)", "(0,2)"}, `SELECT ctid::text FROM items ORDER BY n`)
	check.Value(t, db, 1, `SELECT count(DISTINCT xmin::text) FROM items`)
	check.Value(t, db, "items", `SELECT DISTINCT tableoid::regclass::text FROM items`)
}

// pg_typeof names the type that PostgreSQL gave an expression, which explains many a surprise.
func TestTypeResolution(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	for expression, want := range map[string]string{
		`1`: "integer", `3000000000`: "bigint", `1.0`: "numeric", `1e2`: "numeric", `1/2.0`: "numeric",
		`'a'`: "unknown", `'a' || 'b'`: "text", `ARRAY[1, 2.5]`: "numeric[]", `1::smallint + 1`: "integer",
		`count(*)`: "bigint", `sum(1)`: "bigint", `sum(1::bigint)`: "numeric", `avg(1)`: "numeric",
		`date '2024-01-01' - 1`: "date",
	} {
		check.Equal(t, expression, check.One[string](t, db, `SELECT pg_typeof(`+expression+`)::text`), want)
	}
}
