package cluster_test

import (
	"testing"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// pg_stat_activity shows each session: who, from which program, in which state, with which statement.
func TestStatActivity(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	config := server.Config()
	config.RuntimeParams["application_name"] = "shop"
	session := check.Conn(t, config)
	check.Exec(t, session, `BEGIN; SELECT 'looking around'`)
	type row struct{ User, State, Query string }
	check.Rows(t, server.Pool(), []row{{"postgres", "idle in transaction", `BEGIN; SELECT 'looking around'`}},
		`SELECT usename::text, state, query FROM pg_stat_activity WHERE application_name = 'shop'`)
	check.Exec(t, session, `ROLLBACK`)
	check.Until(t, "the session is idle", func() bool {
		return check.One[string](t, server.Pool(),
			`SELECT state FROM pg_stat_activity WHERE application_name = 'shop'`) == "idle"
	})
}

// The counters of tables and indexes say what was read and written; a backend hands them in a little later.
func TestStatUserTables(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.Server(t).Config())
	check.Exec(t, conn, `CREATE TABLE items (id int PRIMARY KEY); INSERT INTO items SELECT generate_series(1, 100)`)
	check.Exec(t, conn, `UPDATE items SET id = -id WHERE id <= 10; DELETE FROM items WHERE id > 50`)
	type counts struct{ Inserted, Updated, Deleted int64 }
	want := counts{100, 10, 50}
	check.Until(t, "the counters are there", func() bool {
		got := check.Structs[counts](t, conn,
			`SELECT n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables WHERE relname = 'items'`)
		return len(got) == 1 && got[0] == want
	})
}

// pg_stat_database counts commits, rollbacks and deadlocks for each database.
func TestStatDatabase(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.Server(t).Config())
	rollbacks := `SELECT xact_rollback FROM pg_stat_database WHERE datname = 'postgres'`
	before := check.One[int64](t, conn, rollbacks)
	for range 5 {
		check.Exec(t, conn, `BEGIN; ROLLBACK`)
	}
	check.Until(t, "5 rollbacks are counted", func() bool { return check.One[int64](t, conn, rollbacks) >= before+5 })
}

// pg_stat_statements, loaded at the start, sums statements up by their shape.
func TestStatStatements(t *testing.T) {
	t.Parallel()
	look := pgcell.Server(t)
	if check.One[int](t, look.Pool(),
		`SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_stat_statements'`) == 0 {
		t.Skip("extension pg_stat_statements is not part of this PostgreSQL installation (package postgresql-contrib)")
	}
	conn := check.Conn(t, pgcell.Server(t, pgcell.ServerConfig{Settings: map[string]string{
		"shared_preload_libraries": "pg_stat_statements"}}).Config())
	check.Exec(t, conn, `CREATE EXTENSION pg_stat_statements; CREATE TABLE users (id int)`)
	for i := range 7 {
		check.Exec(t, conn, `INSERT INTO users VALUES ($1)`, i)
	}
	check.Value(t, conn, int64(7),
		`SELECT calls FROM pg_stat_statements WHERE query = 'INSERT INTO users VALUES ($1)'`)
}

// pg_locks shows who holds and who waits for what.
func TestLocksView(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	holder := check.Conn(t, server.Config())
	check.Exec(t, holder,
		`CREATE TABLE users (id int)`)
	check.Exec(t, holder, `BEGIN; LOCK TABLE users IN SHARE MODE; SELECT pg_advisory_xact_lock(42)`)
	check.Values(t, server.Pool(), []string{"advisory ExclusiveLock true", "relation ShareLock true"}, `
		SELECT locktype || ' ' || mode || ' ' || granted FROM pg_locks
		WHERE pid = $1 AND (locktype = 'advisory' OR relation = 'users'::regclass) ORDER BY 1`, holder.PgConn().PID())
}

// VACUUM (FULL) gives the room of deleted rows back, which plain VACUUM keeps for new ones.
func TestVacuumAndSizes(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.Server(t).Config())
	check.Exec(t, conn, `CREATE TABLE items (id int, body text) WITH (autovacuum_enabled = off);
		INSERT INTO items SELECT n, repeat('x', 500) FROM generate_series(1, 2000) n; DELETE FROM items WHERE id < 1900`)
	size := `SELECT pg_relation_size('items')`
	before := check.One[int64](t, conn, size)
	check.Exec(t, conn, `VACUUM items`)
	check.Value(t, conn, before, size) // the last rows are alive, so the file cannot be cut at its end
	check.Exec(t, conn, `VACUUM (FULL, ANALYZE) items`)
	if after := check.One[int64](t, conn, size); after > before/10 {
		t.Errorf("size after VACUUM FULL: got %d bytes, want at most a tenth of %d", after, before)
	}
}
