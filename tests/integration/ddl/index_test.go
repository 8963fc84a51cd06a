package ddl_test

import (
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// usesIndex says whether the plan of a query, with sequential scans made costly, reads the index of this name.
func usesIndex(t *testing.T, q check.Querier, name, query string) bool {
	t.Helper()
	check.Exec(t, q, `SET enable_seqscan = off`)
	plan := strings.Join(check.Column[string](t, q, `EXPLAIN (COSTS off) `+query), "\n")
	return strings.Contains(plan, " on "+name) || strings.Contains(plan, " using "+name+" ")
}

// Each kind of index answers its own kinds of questions.
func TestIndexKinds(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TABLE items (id int, tags text[], at point, during int4range, name text, day date);
		INSERT INTO items SELECT n, ARRAY['t' || n], point(n, n), int4range(n, n + 2), 'item ' || n, date '2024-01-01' + n
			FROM generate_series(1, 500) n;
		CREATE INDEX by_btree ON items (id); CREATE INDEX by_hash ON items USING hash (name);
		CREATE INDEX by_gin ON items USING gin (tags); CREATE INDEX by_gist ON items USING gist (during);
		CREATE INDEX by_spgist ON items USING spgist (at); CREATE INDEX by_brin ON items USING brin (day); ANALYZE items`)
	for name, query := range map[string]string{
		"by_btree":  `SELECT * FROM items WHERE id BETWEEN 5 AND 7`,
		"by_hash":   `SELECT * FROM items WHERE name = 'item 7'`,
		"by_gin":    `SELECT * FROM items WHERE tags @> '{t7}'`,
		"by_gist":   `SELECT * FROM items WHERE during @> 7`,
		"by_spgist": `SELECT * FROM items WHERE at <@ box '(6,6),(8,8)'`,
		"by_brin":   `SELECT * FROM items WHERE day < '2024-01-10'`,
	} {
		check.Equal(t, name+" is used", usesIndex(t, conn, name, query), true)
		check.Equal(t, name+" finds rows",
			len(check.Column[string](t, conn, `SELECT x::text FROM (`+query+`) x`)) > 0, true)
	}
}

// A partial unique index guards some rows alone: one open order a user, any number of closed ones.
func TestPartialUniqueIndex(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE orders (user_id int, status text);
		CREATE UNIQUE INDEX one_open ON orders (user_id) WHERE status = 'open'`)
	check.Exec(t, db, `INSERT INTO orders VALUES (1, 'closed'), (1, 'closed'), (1, 'open')`)
	check.Equal(t, "index", check.Fails(t, db, "23505", `INSERT INTO orders VALUES (1, 'open')`).ConstraintName,
		"one_open")
}

// An index on an expression makes a rule of it: emails are unique whatever their case.
func TestExpressionIndex(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TABLE users (email text); CREATE UNIQUE INDEX by_email ON users (lower(email));
		INSERT INTO users VALUES ('Ann@B')`)
	check.Fails(t, conn, "23505", `INSERT INTO users VALUES ('aNN@b')`)
	check.Equal(t, "index used", usesIndex(t, conn, "by_email", `SELECT * FROM users WHERE lower(email) = 'ann@b'`),
		true)
}

// INCLUDE adds columns that are no part of the key, for scans of the index alone; order and NULLs are part of the
// definition.
func TestCoveringIndex(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TABLE items (id int, name text, price int);
		CREATE UNIQUE INDEX covering ON items (id DESC NULLS LAST) INCLUDE (price)`)
	check.Value(t, conn,
		"CREATE UNIQUE INDEX covering ON public.items USING btree (id DESC NULLS LAST) INCLUDE (price)",
		`SELECT pg_get_indexdef('covering'::regclass)`)
	plan := strings.Join(check.Column[string](t, conn, `EXPLAIN SELECT id, price FROM items WHERE id = 5`), "\n")
	check.Equal(t, "index used", usesIndex(t, conn, "covering", `SELECT id, price FROM items WHERE id = 5`), true)
	if strings.Contains(plan, "Index Scan using covering") {
		t.Errorf("plan: got %s, want an index-only or bitmap scan", plan)
	}
}

// CREATE INDEX CONCURRENTLY cannot run in a transaction; REINDEX CONCURRENTLY puts a new index in the old one's
// place.
func TestIndexConcurrently(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TABLE items (id int); INSERT INTO items SELECT generate_series(1, 100)`)
	check.Fails(t, conn, "25001", `BEGIN; CREATE INDEX CONCURRENTLY by_id ON items (id)`)
	check.Exec(t, conn, `ROLLBACK`)
	check.Exec(t, conn, `CREATE INDEX CONCURRENTLY by_id ON items (id)`)
	before := check.One[uint32](t, conn, `SELECT 'by_id'::regclass::oid`)
	check.Exec(t, conn, `REINDEX INDEX CONCURRENTLY by_id`)
	if after := check.One[uint32](t, conn, `SELECT 'by_id'::regclass::oid`); after == before {
		t.Errorf("oid after REINDEX CONCURRENTLY: got %d again, want a new one", after)
	}
}

// A failed CREATE UNIQUE INDEX CONCURRENTLY leaves an invalid index behind that somebody must drop.
func TestInvalidIndexStays(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TABLE items (id int); INSERT INTO items VALUES (1), (1)`)
	check.Fails(t, conn, "23505", `CREATE UNIQUE INDEX CONCURRENTLY by_id ON items (id)`)
	check.Values(t, conn, []string{"by_id"}, `SELECT indexrelid::regclass::text FROM pg_index
		WHERE indrelid = 'items'::regclass AND NOT indisvalid`)
	check.Exec(t, conn, `DROP INDEX CONCURRENTLY by_id`)
}

// Extended statistics tell the planner that columns depend on each other.
func TestExtendedStatistics(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE users (city int, zip int);
		INSERT INTO users SELECT n % 10, n % 100 FROM generate_series(1, 5000) n;
		CREATE STATISTICS users_city (dependencies) ON city, zip FROM users; ANALYZE users`)
	check.Value(t, db, true, `SELECT dependencies::text LIKE '%"2 => 1": 1.0%' FROM pg_stats_ext
		WHERE statistics_name = 'users_city'`)
}
