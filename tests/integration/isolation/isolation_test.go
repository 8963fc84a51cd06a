// Package isolation_test proves what the other suites rely on: a cell is one test's alone. No table, row,
// sequence, lock or setting of one is seen in another, its name is used once, and nothing of it is left after its
// test.
//
// Each test logs its worker and its cells: with 4 shards the logs show w0, w1, w2 and w3, under a plain go test
// master.
package isolation_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// seen holds the names of all cells that this process has had, to find one that is given twice.
var seen sync.Map

// newCell is pgcell.New, with the name logged and looked up among all earlier ones.
func newCell(t *testing.T, config ...pgcell.Config) *pgcell.Cell {
	t.Helper()
	cell := pgcell.New(t, config...)
	t.Logf("worker %s: cell %s", pgcell.Worker(), cell.Name())
	if owner, again := seen.LoadOrStore(cell.Name(), t.Name()); again {
		t.Fatalf("name of a new cell: got %s, which %v has had, want one that was never used", cell.Name(), owner)
	}
	return cell
}

// Two cells hold a table of one name, of different shape, with rows that have the same key, at the same time.
func TestSameTableNameInTwoCells(t *testing.T) {
	t.Parallel()
	first, second := newCell(t).Pool(), newCell(t).Pool()
	check.Exec(t, first, `CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'ann')`)
	check.Exec(t, second, `CREATE TABLE users (id int PRIMARY KEY, age int); INSERT INTO users VALUES (1, 33)`)
	check.Value(t, first, "ann", `SELECT name FROM users WHERE id = 1`)
	check.Value(t, second, 33, `SELECT age FROM users WHERE id = 1`)
	check.Exec(t, first, `DROP TABLE users`)
	check.Value(t, second, 1, `SELECT count(*) FROM users`)
}

// claimOrders is the body of the three tests below: they run in parallel, and each would fail if another's table
// were in sight.
func claimOrders(t *testing.T, definition string) {
	t.Parallel()
	db := newCell(t).Pool()
	check.Values[string](t, db, nil, `SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace`)
	check.Exec(t, db, `CREATE TABLE orders (`+definition+`)`)
	for i := range 20 {
		check.Exec(t, db, `INSERT INTO orders DEFAULT VALUES`)
		check.Value(t, db, i+1, `SELECT count(*) FROM orders`)
	}
}

// The first of three tests that each claim a table "orders".
func TestOrdersOfOne(t *testing.T) { claimOrders(t, `id serial PRIMARY KEY`) }

// The second of three tests that each claim a table "orders", here as a column of text.
func TestOrdersOfAnother(t *testing.T) {
	claimOrders(t, `id text DEFAULT gen_random_uuid()::text UNIQUE`)
}

// The third of three tests that each claim a table "orders", here with a default that is not unique.
func TestOrdersOfAThird(t *testing.T) { claimOrders(t, `id int DEFAULT 7, note text`) }

// Sequences start anew in each cell: a test may rely on the first id being 1.
func TestSequencesStartAnew(t *testing.T) {
	t.Parallel()
	for range 3 {
		db := newCell(t).Pool()
		check.Exec(t, db, `CREATE TABLE items (id serial PRIMARY KEY, name text)`)
		check.Values(t, db, []int{1, 2}, `INSERT INTO items (name) VALUES ('a'), ('b') RETURNING id`)
	}
}

// One cell's table cannot be named from another, not even with its database's name in front.
func TestNoWayToAnotherCellsTable(t *testing.T) {
	t.Parallel()
	first, second := newCell(t), newCell(t)
	check.Exec(t, first.Pool(), `CREATE TABLE users (id int)`)
	check.Fails(t, second.Pool(), "42P01", `SELECT * FROM users`)
	check.Fails(t, second.Pool(), "0A000",
		`SELECT * FROM `+pgx.Identifier{first.Name(), "public", "users"}.Sanitize())
}

// Advisory locks are numbers of a database: tests that all lock number 42 do not wait for each other.
func TestAdvisoryLocksDoNotMeet(t *testing.T) {
	t.Parallel()
	first, second := check.Conn(t, newCell(t).Config()), check.Conn(t, newCell(t).Config())
	check.Value(t, first, true, `SELECT pg_try_advisory_lock(42)`)
	check.Value(t, second, true, `SELECT pg_try_advisory_lock(42)`)
}

// A lock on a whole table holds nobody up in another cell.
func TestTableLocksDoNotMeet(t *testing.T) {
	t.Parallel()
	first, second := check.Conn(t, newCell(t).Config()), check.Conn(t, newCell(t).Config())
	for _, conn := range []*pgx.Conn{first, second} {
		check.Exec(t, conn, `CREATE TABLE users (id int); BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE NOWAIT`)
	}
}

// ALTER DATABASE SET is for the one cell: others keep the server's value.
func TestDatabaseSettingsStayInTheCell(t *testing.T) {
	t.Parallel()
	first, second := newCell(t), newCell(t)
	check.Exec(t, first.Pool(), `ALTER DATABASE `+first.Name()+` SET work_mem = '7MB'`)
	check.Value(t, check.Conn(t, first.Config()), "7MB", `SHOW work_mem`)
	if got := check.One[string](t, check.Conn(t, second.Config()), `SHOW work_mem`); got == "7MB" {
		t.Errorf("work_mem in another cell: got %s, want the server's own value", got)
	}
}

// Types, functions, schemas and extensions are the cell's as well.
func TestOtherObjectsStayInTheCell(t *testing.T) {
	t.Parallel()
	first, second := newCell(t).Pool(), newCell(t).Pool()
	check.Exec(t, first, `CREATE SCHEMA shop; CREATE TYPE size AS ENUM ('s');
		CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'`)
	check.NeedExtension(t, first, "hstore")
	check.Fails(t, second, "42883", `SELECT one()`)
	check.Value(t, second, true, `SELECT to_regtype('size') IS NULL AND to_regtype('hstore') IS NULL
		AND to_regnamespace('shop') IS NULL`)
}

// Twelve cells at once, all with the same table, each with its own number of rows.
func TestManyCellsAtOnce(t *testing.T) {
	t.Parallel()
	var cells []*pgcell.Cell
	for n := range 12 {
		cell := newCell(t)
		check.Exec(t, cell.Pool(), `CREATE TABLE items (n int)`)
		check.Exec(t, cell.Pool(), `INSERT INTO items SELECT generate_series(1, $1::int)`, n)
		cells = append(cells, cell)
	}
	for n, cell := range cells {
		check.Value(t, cell.Pool(), n, `SELECT count(*) FROM items`)
	}
}

// Subtests are tests: each has a cell of its own, with a name of its own.
func TestSubtestsHaveTheirOwnCells(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ann", "bob", "cy", "dee"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cell := newCell(t)
			if strings.HasSuffix(cell.Name(), "_2") {
				t.Errorf("name of a subtest's first cell: got %s, want none with _2", cell.Name())
			}
			check.Exec(t, cell.Pool(), `CREATE TABLE users (name text)`)
			check.Exec(t, cell.Pool(), `INSERT INTO users VALUES ($1)`, name)
			check.Values(t, cell.Pool(), []string{name}, `SELECT name FROM users`)
		})
	}
}

// shop has a table with a row of seed data.
var shop = pgcell.Config{Migrations: fstest.MapFS{
	"1_users.sql": {Data: []byte(`CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL);`)},
	"2_seed.sql":  {Data: []byte(`INSERT INTO users (name) VALUES ('root');`)},
}}

// wreckShop is the body of three tests: each finds the seed row, and each deletes it and drops the table.
func wreckShop(t *testing.T) {
	t.Parallel()
	db := newCell(t, shop).Pool()
	check.Values(t, db, []string{"root"}, `SELECT name FROM users`)
	check.Values(t, db, []int{2}, `INSERT INTO users (name) VALUES ('ann') RETURNING id`)
	check.Exec(t, db, `DELETE FROM users; DROP TABLE users`)
}

// The first of three tests that wreck what the migrations made, each in its own copy.
func TestMigratedOnce(t *testing.T) { wreckShop(t) }

// The second of three tests that wreck what the migrations made.
func TestMigratedTwice(t *testing.T) { wreckShop(t) }

// The third of three tests that wreck what the migrations made.
func TestMigratedThrice(t *testing.T) { wreckShop(t) }

// A template may come from a function with a key; and a second cell of the same test may be empty all the same.
func TestTemplatesSideBySide(t *testing.T) {
	t.Parallel()
	migrated, empty := newCell(t, shop), newCell(t, pgcell.Config{Empty: true})
	check.Value(t, migrated.Pool(), 1, `SELECT count(*) FROM users`)
	check.Fails(t, empty.Pool(), "42P01", `SELECT count(*) FROM users`)
}

// names is the form of a first cell's name, and of further ones.
var names = regexp.MustCompile(`^test_db_(w\d+|master)_([0-9a-f]{8})(_\d+)?$`)

// A name says the worker and a random id; the second cell of a test has the same with _2, the third with _3.
func TestNamePattern(t *testing.T) {
	t.Parallel()
	first, second, third := newCell(t), newCell(t), newCell(t)
	parts := names.FindStringSubmatch(first.Name())
	if parts == nil || parts[3] != "" {
		t.Fatalf("first name: got %s, want it like %s without a number at the end", first.Name(), names)
	}
	check.Equal(t, "worker in the name", parts[1], pgcell.Worker())
	check.Equal(t, "second name", second.Name(), first.Name()+"_2")
	check.Equal(t, "third name", third.Name(), first.Name()+"_3")
	check.Equal(t, "table's name", first.Table(), fmt.Sprintf("test_table_%s_%s", parts[1], parts[2]))
	for _, cell := range []*pgcell.Cell{first, second, third} {
		check.Value(t, cell.Pool(), cell.Name(), `SELECT current_database()::text`)
	}
}
