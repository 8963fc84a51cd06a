package datatypes_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// mustLoadTypes teaches a connection the types of the names given, in an order in which each knows those before it.
func mustLoadTypes(t *testing.T, conn *pgx.Conn, names ...string) {
	t.Helper()
	for _, name := range names {
		loaded, err := conn.LoadType(t.Context(), name)
		if err != nil {
			t.Fatalf("load type %q: got error %v, want none", name, err)
		}
		conn.TypeMap().RegisterType(loaded)
	}
}

type address struct {
	Street string
	Number *int32
}

// A composite type becomes a Go struct once the connection has loaded it; its fields may be NULL one by one.
func TestCompositeAsStruct(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TYPE address AS (street text, number int)`)
	check.Exec(t, conn, `CREATE TABLE users (name text, home address)`)
	mustLoadTypes(t, conn, "address")
	seven := int32(7)
	for _, want := range []address{{`High "St", (old)`, &seven}, {"Lane", nil}} {
		check.Exec(t, conn, `TRUNCATE users`)
		check.Exec(t, conn, `INSERT INTO users VALUES ('ann', $1)`, want)
		check.Value(t, conn, want, `SELECT home FROM users`)
	}
	check.Value(t, conn, "(Lane,)", `SELECT home::text FROM users`)
	check.Exec(t, conn, `UPDATE users SET home.number = 9`)
	check.Value(t, conn, 9, `SELECT (home).number FROM users`)
}

// Arrays of composites, and composites that hold others, are loaded in the order of their dependence.
func TestNestedComposites(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TYPE address AS (street text, number int);
		CREATE TYPE person AS (name text, homes address[])`)
	mustLoadTypes(t, conn, "address", "_address", "person")
	type person struct {
		Name  string
		Homes []address
	}
	one, two := int32(1), int32(2)
	want := person{"ann", []address{{"A", &one}, {"B", &two}}}
	check.Value(t, conn, want, `SELECT $1::person`, want)
	check.Value(t, conn, "B", `SELECT (($1::person).homes[2]).street`, want)
}

// Row values compare field by field, which makes paging by a compound key a short condition.
func TestRowComparison(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE orders (day date, id int)`)
	check.Exec(t, db,
		`INSERT INTO orders VALUES ('2024-01-01', 1), ('2024-01-01', 2), ('2024-01-02', 1), ('2024-01-03', 1)`)
	check.Values(t, db, []string{"(2024-01-02,1)", "(2024-01-03,1)"},
		`SELECT orders::text FROM orders WHERE (day, id) > ('2024-01-01', 2) ORDER BY day, id LIMIT 2`)
	check.Value[*string](t, db, nil, `SELECT ((1, NULL) = (1, 2))::text`)
}

// A composite of all NULLs "IS NULL", yet is distinct from NULL: the standard wants it so.
func TestCompositeNullness(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TYPE address AS (street text, number int)`)
	check.Value(t, db, true, `SELECT ROW(NULL, NULL)::address IS NULL`)
	check.Value(t, db, true, `SELECT ROW(NULL, NULL)::address IS DISTINCT FROM NULL`)
	check.Value(t, db, false, `SELECT ROW('a', NULL)::address IS NULL OR ROW('a', NULL)::address IS NOT NULL`)
}

// An enum sorts in the order of its declaration, not by its letters, and refuses other labels.
func TestEnumOrder(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TYPE size AS ENUM ('small', 'medium', 'large')`)
	check.Exec(t, db, `CREATE TABLE items (size size)`)
	check.Exec(t, db, `INSERT INTO items VALUES ('large'), ('small'), ('medium')`)
	check.Values(t, db, []string{"small", "medium", "large"}, `SELECT size FROM items ORDER BY size`)
	check.Value(t, db, "large", `SELECT max(size) FROM items`)
	check.Fails(t, db, "22P02", `INSERT INTO items VALUES ('huge')`)
	check.Value(t, db, "{medium,large}", `SELECT enum_range('medium'::size, NULL)::text`)
}

// A label can be added in any place and renamed, but never removed; a new one is usable after commit alone.
func TestEnumChanges(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TYPE size AS ENUM ('small', 'large')`)
	check.Exec(t, conn, `ALTER TYPE size ADD VALUE 'medium' BEFORE 'large'`)
	check.Exec(t, conn, `ALTER TYPE size RENAME VALUE 'small' TO 'tiny'`)
	check.Exec(t, conn, `ALTER TYPE size ADD VALUE IF NOT EXISTS 'medium'`)
	check.Value(t, conn, "{tiny,medium,large}", `SELECT enum_range(NULL::size)::text`)
	check.Exec(t, conn, `BEGIN`)
	check.Exec(t, conn, `ALTER TYPE size ADD VALUE 'huge'`)
	check.Fails(t, conn, "55P04", `SELECT 'huge'::size`)
	check.Exec(t, conn, `ROLLBACK`)
}

// An array of an enum needs the enum and its array type loaded; then it is a slice of strings.
func TestEnumArray(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TYPE size AS ENUM ('small', 'large')`)
	mustLoadTypes(t, conn, "size", "_size")
	check.Value(t, conn, []string{"large", "small"}, `SELECT $1::size[]`, []string{"large", "small"})
}

// A domain is a type with a check of its own, enforced wherever the type is used, in arrays as well.
func TestDomain(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE DOMAIN email AS text CHECK (VALUE ~ '^[^@]+@[^@]+$')`)
	check.Exec(t, db, `CREATE DOMAIN quantity AS int DEFAULT 1 NOT NULL CONSTRAINT positive CHECK (VALUE > 0)`)
	check.Exec(t, db, `CREATE TABLE users (mail email, others email[], n quantity)`)
	check.Exec(t, db, `INSERT INTO users (mail, others) VALUES ('a@b', '{c@d}')`)
	check.Value(t, db, 1, `SELECT n::int FROM users`)
	check.Fails(t, db, "23514", `INSERT INTO users (mail) VALUES ('nobody')`)
	check.Fails(t, db, "23514", `INSERT INTO users (others) VALUES ('{a@b,nobody}')`)
	check.Fails(t, db, "23502", `INSERT INTO users (n) VALUES (NULL)`)
	err := check.Fails(t, db, "23514", `INSERT INTO users (n) VALUES (0)`)
	check.Equal(t, "constraint's name", err.ConstraintName, "positive")
}
