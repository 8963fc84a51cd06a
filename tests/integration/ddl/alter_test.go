package ddl_test

import (
	"testing"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// columns shows a table's columns as "name type", in order.
const columns = `SELECT attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute
	WHERE attrelid = 'items'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`

// Columns are added, renamed and dropped; an added one with a default that is constant costs no rewrite of the table.
func TestAddRenameDropColumn(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int, old text); INSERT INTO items VALUES (1, 'x')`)
	before := check.One[uint32](t, db, `SELECT pg_relation_filenode('items')`)
	check.Exec(t, db, `ALTER TABLE items ADD COLUMN price numeric(8,2) NOT NULL DEFAULT 9.99, DROP COLUMN old`)
	check.Exec(t, db, `ALTER TABLE items RENAME COLUMN id TO number`)
	check.Values(t, db, []string{"number integer", "price numeric(8,2)"}, columns)
	check.Value(t, db, "9.99", `SELECT price::text FROM items`)
	check.Value(t, db, before, `SELECT pg_relation_filenode('items')`)
	check.Exec(t, db, `ALTER TABLE items ADD COLUMN made timestamptz DEFAULT clock_timestamp()`) // volatile: rewrites
	if after := check.One[uint32](t, db, `SELECT pg_relation_filenode('items')`); after == before {
		t.Errorf("file of the table after a volatile default: got %d again, want another", after)
	}
}

// A column changes its type by a USING expression where no cast does it; it fails whole when one row does not fit.
func TestAlterColumnType(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db,
		`CREATE TABLE items (code text, at bigint); INSERT INTO items VALUES ('7', 1700000000), ('8', 0)`)
	check.Fails(t, db, "42804", `ALTER TABLE items ALTER code TYPE int`)
	check.Exec(t, db, `ALTER TABLE items ALTER code TYPE int USING code::int,
		ALTER at TYPE timestamptz USING to_timestamp(at)`)
	check.Values(t, db, []string{"code integer", "at timestamp with time zone"}, columns)
	check.Value(t, db, 15, `SELECT sum(code) FROM items`)
	check.Fails(t, db, "22003", `INSERT INTO items VALUES (3000000000); ALTER TABLE items ALTER code TYPE smallint`)
}

// Defaults and NOT NULL come and go; SET NOT NULL looks at the rows that are there.
func TestAlterDefaultAndNotNull(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int, name text); INSERT INTO items VALUES (1, NULL)`)
	check.Fails(t, db, "23502", `ALTER TABLE items ALTER name SET NOT NULL`)
	check.Exec(t, db,
		`UPDATE items SET name = '?'; ALTER TABLE items ALTER name SET NOT NULL, ALTER name SET DEFAULT 'new'`)
	check.Exec(t, db, `INSERT INTO items (id) VALUES (2)`)
	check.Exec(t, db, `ALTER TABLE items ALTER name DROP DEFAULT`)
	check.Fails(t, db, "23502", `INSERT INTO items (id) VALUES (3)`)
	check.Exec(t, db, `ALTER TABLE items ALTER name DROP NOT NULL; INSERT INTO items (id) VALUES (3)`)
	check.Values(t, db, []string{"?", "new", "none"}, `SELECT coalesce(name, 'none') FROM items ORDER BY id`)
}

// A table is renamed, moved to another schema and keeps its rows, indexes and views.
func TestRenameAndMoveTable(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1);
		CREATE VIEW all_orders AS SELECT * FROM orders; CREATE SCHEMA archive`)
	check.Exec(t, db, `ALTER TABLE orders RENAME TO old_orders; ALTER TABLE old_orders SET SCHEMA archive`)
	check.Value(t, db, 1, `SELECT id FROM all_orders`)
	check.Value(t, db, "archive.orders_pkey", `SELECT indexrelid::regclass::text FROM pg_index
		WHERE indrelid = 'archive.old_orders'::regclass`)
	check.Exec(t, db, `ALTER INDEX archive.orders_pkey RENAME TO old_orders_pkey`)
	check.Fails(t, db, "23505", `INSERT INTO archive.old_orders VALUES (1)`)
}

// Storage parameters, statistics targets, storage modes and options of a column are set and reset.
func TestAlterStorage(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int, body text)`)
	check.Exec(t, db, `ALTER TABLE items SET (fillfactor = 70, autovacuum_enabled = false),
		ALTER body SET STORAGE EXTERNAL, ALTER id SET STATISTICS 500, ALTER id SET (n_distinct = -0.5)`)
	check.Value(t, db, []string{"fillfactor=70", "autovacuum_enabled=false"},
		`SELECT reloptions FROM pg_class WHERE oid = 'items'::regclass`)
	check.Value(t, db, "e", `SELECT attstorage::text FROM pg_attribute
		WHERE attrelid = 'items'::regclass AND attname = 'body'`)
	check.Exec(t, db, `ALTER TABLE items RESET (fillfactor, autovacuum_enabled)`)
	check.Value[[]string](t, db, nil, `SELECT reloptions FROM pg_class WHERE oid = 'items'::regclass`)
	check.Fails(t, db, "22023", `ALTER TABLE items SET (fillfactor = 5)`)
}

// An unlogged table skips the write-ahead log; it can change sides, and so can its temporary cousin not.
func TestUnloggedTable(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	persistence := `SELECT relpersistence::text FROM pg_class WHERE oid = 'items'::regclass`
	check.Exec(t, db, `CREATE UNLOGGED TABLE items (id int); INSERT INTO items VALUES (1)`)
	check.Value(t, db, "u", persistence)
	check.Exec(t, db, `ALTER TABLE items SET LOGGED`)
	check.Value(t, db, "p", persistence)
	check.Value(t, db, 1, `SELECT id FROM items`)
	check.Fails(t, db, "42P16", `BEGIN; CREATE TEMP TABLE scratch (id int); ALTER TABLE scratch SET UNLOGGED`)
}

// CREATE TABLE LIKE copies a shape, with as much of it as INCLUDING says.
func TestCreateTableLike(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE orders (id int PRIMARY KEY, n int DEFAULT 5 CHECK (n > 0) NOT NULL);
		CREATE TABLE bare (LIKE orders); CREATE TABLE full_copy (LIKE orders INCLUDING ALL)`)
	check.Exec(t, db, `INSERT INTO full_copy (id) VALUES (1)`)
	check.Fails(t, db, "23505", `INSERT INTO full_copy (id) VALUES (1)`)
	check.Fails(t, db, "23514", `INSERT INTO full_copy VALUES (2, 0)`)
	check.Exec(t, db, `INSERT INTO bare VALUES (1, 0), (1, 0)`)
	// NOT NULL always comes along, the default does not
	check.Fails(t, db, "23502", `INSERT INTO bare (id) VALUES (2)`)
}

// A typed table takes its columns from a composite type and follows its changes.
func TestTypedTable(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TYPE item AS (id int, name text); CREATE TABLE items OF item (PRIMARY KEY (id))`)
	check.Fails(t, db, "2BP01", `ALTER TYPE item ADD ATTRIBUTE price int`)
	check.Exec(t, db, `ALTER TYPE item ADD ATTRIBUTE price int CASCADE`)
	check.Values(t, db, []string{"id integer", "name text", "price integer"}, columns)
}

// Children inherit columns and checks and answer queries on the parent, but not its keys and unique constraints.
func TestInheritance(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int PRIMARY KEY, price int CHECK (price > 0));
		CREATE TABLE books (pages int) INHERITS (items)`)
	check.Exec(t, db, `INSERT INTO items VALUES (1, 10); INSERT INTO books VALUES (1, 20, 300)`)
	check.Value(t, db, 30, `SELECT sum(price) FROM items`)
	check.Value(t, db, 10, `SELECT sum(price) FROM ONLY items`)
	check.Fails(t, db, "23514", `INSERT INTO books VALUES (2, 0, 1)`)
	check.Exec(t, db, `ALTER TABLE items ADD COLUMN note text; ALTER TABLE books NO INHERIT items`)
	check.Value(t, db, 1, `SELECT count(*) FROM items`)
	check.Values(t, db, []int{20}, `SELECT price FROM books WHERE note IS NULL`)
}
