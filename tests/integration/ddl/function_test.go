package ddl_test

import (
	"testing"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// A function takes arguments by place or by name, has defaults, and is told from its namesakes by its types.
func TestFunctionOverloads(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `
		CREATE FUNCTION total(price int, n int DEFAULT 2) RETURNS int LANGUAGE sql AS 'SELECT price * n';
		CREATE FUNCTION total(price text) RETURNS text LANGUAGE sql AS $$ SELECT 'text ' || price $$`)
	check.Value(t, db, 20, `SELECT total(10)`)
	check.Value(t, db, 30, `SELECT total(n => 3, price => 10)`)
	check.Value(t, db, "text 10", `SELECT total('10'::text)`)
	check.Fails(t, db, "42883", `SELECT total(1.5)`)
	check.Fails(t, db, "42725", `DROP FUNCTION total`) // which of the two?
	check.Exec(t, db, `DROP FUNCTION total(text)`)
	check.Fails(t, db, "42P13",
		`CREATE OR REPLACE FUNCTION total(price int, n int) RETURNS int LANGUAGE sql AS 'SELECT 1'`)
}

// Functions return rows as a table, with any number of arguments (VARIADIC), for any type (anyelement).
func TestFunctionShapes(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `
		CREATE FUNCTION halves(VARIADIC ns int[]) RETURNS TABLE (n int, half numeric) LANGUAGE sql AS
			'SELECT x, x / 2.0 FROM unnest(ns) x';
		CREATE FUNCTION twice(x anyelement) RETURNS anyarray LANGUAGE sql AS 'SELECT ARRAY[x, x]';
		CREATE FUNCTION split(t text, OUT head text, OUT rest text) LANGUAGE sql AS 'SELECT left(t, 1), substr(t, 2)'`)
	check.Values(t, db, []string{"0.5", "1.0", "1.5"},
		`SELECT trim_scale(half)::numeric(3,1)::text FROM halves(1, 2, 3)`)
	check.Value(t, db, "{a,a}", `SELECT twice('a'::text)::text`)
	check.Value(t, db, "{7,7}", `SELECT twice(7)::text`)
	check.Value(t, db, "o|rders", `SELECT head || '|' || rest FROM split('orders')`)
}

// STRICT returns NULL for a NULL argument without a call; IMMUTABLE lets the planner compute once, and an index
// use it.
func TestFunctionVolatility(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE FUNCTION one(x int) RETURNS int LANGUAGE plpgsql STRICT VOLATILE AS 'BEGIN RETURN 1; END';
		CREATE TABLE items (n int)`)
	check.Value[*int](t, db, nil, `SELECT one(NULL)`)
	check.Fails(t, db, "42P17", `CREATE INDEX ON items (one(n))`)
	check.Exec(t, db, `ALTER FUNCTION one IMMUTABLE CALLED ON NULL INPUT; CREATE INDEX ON items (one(n))`)
	check.Value(t, db, 1, `SELECT one(NULL::int) `)
}

// A body in the style of the SQL standard (BEGIN ATOMIC) is parsed when the function is made and depends on what
// it uses.
func TestFunctionBodyWithDependencies(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (n int); INSERT INTO items VALUES (1), (2)`)
	check.Exec(t, db,
		`CREATE FUNCTION total() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(n) FROM items; END`)
	check.Fails(t, db, "2BP01", `DROP TABLE items`)
	check.Exec(t, db, `ALTER TABLE items RENAME COLUMN n TO m`) // the body follows
	check.Value(t, db, int64(3), `SELECT total()`)
}

// A PL/pgSQL block catches an error: what it did since its BEGIN is rolled back, the rest of the transaction lives.
func TestExceptionBlock(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE users (name text UNIQUE); INSERT INTO users VALUES ('ann');
		CREATE FUNCTION add(n text) RETURNS text LANGUAGE plpgsql AS $$
		DECLARE which text;
		BEGIN
			INSERT INTO users VALUES (n || '-draft');
			INSERT INTO users VALUES (n);
			RETURN 'added';
		EXCEPTION WHEN unique_violation THEN
			GET STACKED DIAGNOSTICS which = CONSTRAINT_NAME;
			RETURN 'kept by ' || which;
		END $$`)
	check.Value(t, db, "added", `SELECT add('bob')`)
	check.Value(t, db, "kept by users_name_key", `SELECT add('ann')`)
	check.Values(t, db, []string{"ann", "bob", "bob-draft"}, `SELECT name FROM users ORDER BY name`)
}

// A procedure commits on its own between pieces of work, unless it is called inside a transaction.
func TestProcedureCommits(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TABLE items (n int CHECK (n < 5));
		CREATE PROCEDURE fill(upto int, INOUT done int DEFAULT 0) LANGUAGE plpgsql AS $$
		BEGIN
			FOR i IN 1..upto LOOP INSERT INTO items VALUES (i); COMMIT; done := done + 1; END LOOP;
		END $$`)
	check.Value(t, conn, 2, `CALL fill(2)`)
	check.Fails(t, conn, "23514", `CALL fill(7)`) // 1 to 4 were committed before 5 failed
	check.Value(t, conn, 6, `SELECT count(*) FROM items`)
	check.Exec(t, conn, `BEGIN`)
	check.Fails(t, conn, "2D000", `CALL fill(1)`)
	check.Exec(t, conn, `ROLLBACK`)
}

// A SECURITY DEFINER function runs with its owner's rights, and a SET clause gives it settings for the time of the
// call.
func TestFunctionSettings(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE FUNCTION path() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
		AS $$ SELECT current_setting('search_path') $$`)
	check.Exec(t, conn, `SET search_path = public`)
	check.Value(t, conn, "pg_catalog/public", `SELECT path() || '/' || current_setting('search_path')`)
}

// An aggregate is a state, a step and an end; an operator is a name for a function.
func TestOwnAggregateAndOperator(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `
		CREATE FUNCTION times(a numeric, b numeric) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS 'SELECT a * b';
		CREATE AGGREGATE product(numeric) (SFUNC = times, STYPE = numeric, INITCOND = '1');
		CREATE FUNCTION within(a int, b int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT abs(a - b) <= 1';
		CREATE OPERATOR ~~~ (LEFTARG = int, RIGHTARG = int, FUNCTION = within, COMMUTATOR = ~~~)`)
	check.Value(t, db, "120", `SELECT product(n)::text FROM generate_series(1, 5) n`)
	check.Value(t, db, "6", `SELECT (product(n) FILTER (WHERE n <= 3))::text FROM generate_series(1, 5) n`)
	check.Value(t, db, true, `SELECT 3 ~~~ 4 AND NOT 3 ~~~ 5`)
}

// A cast between one's own types turns up where it is asked for, or by itself where it is implicit.
func TestOwnCast(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TYPE celsius AS (c numeric); CREATE TYPE kelvin AS (k numeric);
		CREATE FUNCTION to_kelvin(x celsius) RETURNS kelvin LANGUAGE sql IMMUTABLE AS 'SELECT ROW(x.c + 273.15)::kelvin';
		CREATE CAST (celsius AS kelvin) WITH FUNCTION to_kelvin AS ASSIGNMENT; CREATE TABLE items (t kelvin)`)
	check.Exec(t, db, `INSERT INTO items VALUES (ROW(20)::celsius)`)
	check.Value(t, db, "293.15", `SELECT (t).k::text FROM items`)
}
