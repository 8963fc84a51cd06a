// Package ddl_test changes the structure of databases in every way that PostgreSQL offers. Such tests cannot share a
// database: each drops, renames and replaces what others of the same name rely on. Here each has a cell of its own.
package ddl_test

import (
	"testing"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// A cell's role may make schemas; the same table name in two schemas is two tables.
func TestSchemas(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db,
		`CREATE SCHEMA sales CREATE TABLE orders (id int) CREATE VIEW latest AS SELECT max(id) FROM orders`)
	check.Exec(t, db,
		`CREATE SCHEMA archive; CREATE TABLE archive.orders (id int); INSERT INTO archive.orders VALUES (1)`)
	check.Value(t, db, 0, `SELECT count(*) FROM sales.orders`)
	check.Value(t, db, 1, `SELECT count(*) FROM archive.orders`)
	check.Exec(t, db, `ALTER SCHEMA sales RENAME TO shop`)
	check.Value[*int](t, db, nil, `SELECT max FROM shop.latest`)
	check.Fails(t, db, "3F000", `CREATE TABLE sales.orders (id int)`)
}

// DROP refuses while something depends on the object; CASCADE takes the dependents along.
func TestDropRestrictAndCascade(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db,
		`CREATE SCHEMA shop; CREATE TABLE shop.items (id int); CREATE VIEW items AS SELECT * FROM shop.items`)
	check.Fails(t, db, "2BP01", `DROP SCHEMA shop`)
	check.Fails(t, db, "2BP01", `DROP TABLE shop.items`)
	check.Exec(t, db, `DROP SCHEMA shop CASCADE`)
	check.Fails(t, db, "42P01", `SELECT * FROM items`)
	check.Exec(t, db, `DROP SCHEMA IF EXISTS shop`)
}

// The first schema of search_path that holds the name wins; new tables go into the first schema that exists.
func TestSearchPath(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE SCHEMA a; CREATE SCHEMA b;
		CREATE TABLE b.items AS SELECT 'from b' AS origin; CREATE TABLE public.items AS SELECT 'from public' AS origin`)
	check.Exec(t, conn, `SET search_path = nowhere, a, b, public`)
	check.Value(t, conn, "from b", `SELECT origin FROM items`)
	check.Exec(t, conn, `CREATE TABLE items AS SELECT 'from a' AS origin`)
	// The statement that is prepared keeps to the table it found; a new one looks again.
	check.Value(t, conn, "from b", `SELECT origin FROM items`)
	check.Value(t, conn, "from a", `SELECT items.origin FROM items`)
	check.Value(t, conn, []string{"a", "b", "public"}, `SELECT current_schemas(false)::text[]`)
	check.Exec(t, conn, `SET search_path = ''`)
	check.Fails(t, conn, "42P01", `SELECT origin FROM items`)
}

// A temporary table hides a permanent one of its name, for its own session alone.
func TestTemporaryTable(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	mine, other := check.Conn(t, cell.Config()), check.Conn(t, cell.Config())
	check.Exec(t, mine, `CREATE TABLE users (name text); INSERT INTO users VALUES ('permanent')`)
	check.Exec(t, mine, `CREATE TEMPORARY TABLE users (name text); INSERT INTO users VALUES ('temporary')`)
	check.Value(t, mine, "temporary", `SELECT name FROM users`)
	check.Value(t, mine, "permanent", `SELECT name FROM public.users`)
	check.Value(t, other, "permanent", `SELECT name FROM users`)
	check.Exec(t, mine, `DISCARD TEMP`)
	check.Value(t, mine, "permanent", `SELECT name FROM users`)
}

// ON COMMIT says what becomes of a temporary table at the end of a transaction.
func TestTemporaryTableOnCommit(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `BEGIN;
		CREATE TEMP TABLE emptied (n int) ON COMMIT DELETE ROWS; INSERT INTO emptied VALUES (1);
		CREATE TEMP TABLE gone (n int) ON COMMIT DROP; INSERT INTO gone VALUES (1)`)
	check.Value(t, conn, 2, `SELECT (SELECT count(*) FROM emptied) + (SELECT count(*) FROM gone)`)
	check.Exec(t, conn, `COMMIT`)
	check.Value(t, conn, 0, `SELECT count(*) FROM emptied`)
	check.Fails(t, conn, "42P01", `SELECT count(*) FROM gone`)
}

// Comments live in the catalog beside any object; NULL removes one.
func TestComments(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int);
		COMMENT ON TABLE items IS 'what we sell'; COMMENT ON COLUMN items.id IS 'number on the shelf'`)
	check.Value(t, db, "what we sell", `SELECT obj_description('items'::regclass)`)
	check.Value(t, db, "number on the shelf", `SELECT col_description('items'::regclass, 1)`)
	check.Exec(t, db, `COMMENT ON TABLE items IS NULL`)
	check.Value[*string](t, db, nil, `SELECT obj_description('items'::regclass)`)
}

// DDL is part of the transaction: a rolled back CREATE, ALTER or DROP has not happened.
func TestDDLRollsBack(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TABLE users (id int)`)
	check.Exec(t, conn, `BEGIN; DROP TABLE users; CREATE TABLE users (other text); CREATE TABLE orders (id int)`)
	check.Exec(t, conn, `ROLLBACK`)
	check.Values(t, conn, []string{"users.id"}, `SELECT table_name || '.' || column_name
		FROM information_schema.columns WHERE table_schema = 'public'`)
}

// An extension brings objects that belong to it: they come and go with it, not one by one.
func TestExtensionOwnsItsObjects(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.NeedExtension(t, db, "hstore")
	check.Fails(t, db, "2BP01", `DROP TYPE hstore`)
	check.Exec(t, db, `DROP EXTENSION hstore; CREATE SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext`)
	check.Value(t, db, "1", `SELECT 'a=>1'::ext.hstore OPERATOR(ext.->) 'a'`)
	check.Exec(t, db, `DROP EXTENSION hstore`)
	check.Value[*string](t, db, nil, `SELECT to_regtype('ext.hstore')::text`)
}
