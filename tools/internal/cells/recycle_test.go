package cells_test

import (
	"context"
	_ "embed"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/golden"
)

// shop is a template with what recycling has to mind.
//
//go:embed testdata/shop.sql
var shop string

// code are functions for the shop. No session goes from test to test with them.
//
//go:embed testdata/code.sql
var code string

// mustShop starts a server on the shop's template; change may alter how.
func mustShop(t testing.TB, change func(*cells.Config)) *cells.Cluster {
	t.Helper()
	return mustOpenWith(t, shop, change)
}

// mustOpenWith starts a server on a template that sql makes. Cells are verified unless change says otherwise.
func mustOpenWith(t testing.TB, sql string, change func(*cells.Config)) *cells.Cluster {
	t.Helper()
	return mustOpenMade(t, golden.Recipe{Migrations: []golden.Script{{Name: "x.sql", SQL: sql}}}, change)
}

func mustOpenMade(t testing.TB, r golden.Recipe, change func(*cells.Config)) *cells.Cluster {
	t.Helper()
	install, path := mustInstall(t), filepath.Join(t.TempDir(), "x.pgcell")
	if err := golden.BuildFile(context.Background(), path, install, r, golden.Options{}); err != nil {
		t.Fatal(err)
	}
	config := cells.Config{Golden: path, Install: install, Recycle: cells.Verify, Warn: func(s string) { t.Log("warning:", s) }, Trace: func(s string) { t.Log(s) }}
	if change != nil {
		change(&config)
	}
	c, err := cells.Open(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// leftovers are what tests leave behind. Those that are recycled say so: the cell is used again, rather than dropped.
var leftovers = []struct {
	name     string
	recycled bool
	sql      string
}{
	{"nothing", true, ""},
	{"reads", true, "SELECT * FROM parent, seeded"},
	{"some pages", false, "INSERT INTO parent (name) SELECT repeat('x', 100) FROM generate_series(1, 500)"},
	{"a page of an index", true, "INSERT INTO parent (name) SELECT repeat('x', 100) FROM generate_series(1, 300)"},
	{"rows", true, "INSERT INTO parent (name) SELECT 'x' FROM generate_series(1, 5)"},
	{"many rows", false, "INSERT INTO parent (name) SELECT repeat('x', 100) FROM generate_series(1, 5000)"},
	{"foreign key", true, "INSERT INTO parent (name) VALUES ('a'); INSERT INTO child (parent_id) SELECT id FROM parent"},
	{"cyclic foreign keys", true, "BEGIN; INSERT INTO ring_a VALUES (1, 1); INSERT INTO ring_b VALUES (1, 1); COMMIT"},
	{"updates", true, "INSERT INTO parent (name) VALUES ('a'), ('b'), ('c'); UPDATE parent SET name = name || '!' WHERE name < 'c'"},
	{"deletes", true, "INSERT INTO parent (name) VALUES ('a'), ('b'), ('c'); DELETE FROM parent"},
	{"rolled back rows", true, "BEGIN; INSERT INTO parent (name) VALUES ('a'); ROLLBACK"},
	{"unlogged", true, "INSERT INTO fast VALUES (1, 'x')"},
	{"partitions", true, "INSERT INTO parts VALUES (1, '2020-05-05'), (2, '1999-01-01'); UPDATE parts SET at = '2020-01-01'"},
	{"inheritance", true, "INSERT INTO base VALUES (1); INSERT INTO derived VALUES (2, 'x')"},
	{"triggers", true, "INSERT INTO guarded VALUES (1, 'x'); UPDATE guarded SET v = 'y'; DELETE FROM guarded"},
	{"rules", true, "INSERT INTO ruled VALUES (1), (2); DELETE FROM ruled"},
	{"row security", true, "INSERT INTO private VALUES (1), (2)"},
	{"toast", true, "INSERT INTO wide SELECT i, (SELECT string_agg(md5(i || ' ' || j), '') FROM generate_series(1, 300) j) FROM generate_series(1, 5) i"},
	{"nextval", true, "SELECT nextval('counter'), nextval('counter')"},
	{"setval", true, "SELECT setval('untouched', 55, false)"},
	{"listen", true, "LISTEN news; NOTIFY news, 'x'"},
	{"advisory lock", true, "SELECT pg_advisory_lock(1), pg_advisory_lock_shared(2)"},
	{"copy", true, "COPY (SELECT 1) TO STDOUT"},
	{"vacuum", true, "INSERT INTO parent (name) VALUES ('a'); VACUUM parent"},
	{"vacuum of all tables", false, "VACUUM"},
	{"vacuum of many seeds", false, "BEGIN; SELECT * FROM many FOR UPDATE; COMMIT; VACUUM many"},
	{"analyze of a partitioned table", false, "INSERT INTO dates SELECT '2020-05-05' FROM generate_series(1, 10); ANALYZE dates"},
	{"analyze of empty tables", true, "ANALYZE parent, child, wide"},
	{"cursor", true, "BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT"},
	{"set", true, "SET search_path = pg_catalog; SET TimeZone = 'Asia/Tokyo'; SET app.tenant = '7'"},
	{"set local", true, "BEGIN; SET LOCAL search_path = pg_catalog; COMMIT"},
	{"set_config", true, "SELECT set_config('app.tenant', '7', false)"},
	{"prepare", true, "PREPARE p AS SELECT 1"},
	{"do", true, "DO $$ BEGIN PERFORM set_config('work_mem', '1MB', false); END $$"},
	{"set role", true, "SET ROLE pgcell"},
	{"set timeouts", true, "SET statement_timeout = '1min'; SET LOCAL lock_timeout = 5; SET SESSION lock_timeout = 3"},
	{"DDL of what is there", true, "CREATE TABLE IF NOT EXISTS parent (id int); CREATE SEQUENCE IF NOT EXISTS counter; DROP TABLE IF EXISTS no_such;" +
		" CREATE INDEX IF NOT EXISTS wide_id_idx ON wide (id); ALTER TABLE parent ADD COLUMN IF NOT EXISTS name text"},
	{"DDL of what was not there", false, "CREATE TABLE IF NOT EXISTS new (id int)"},
	{"DDL of what is no more", false, "ALTER TABLE parent DROP COLUMN IF EXISTS at"},
	{"analyze", false, "INSERT INTO parent (name) SELECT 'x' FROM generate_series(1, 50); ANALYZE parent"},
	{"always trigger", false, "INSERT INTO always VALUES (1)"},
	{"beside seeds", true, "INSERT INTO seeded VALUES (21, 'x'), (22, 'y')"},
	{"many beside seeds", true, "INSERT INTO seeded SELECT i, repeat('x', 100) FROM generate_series(21, 400) i"},
	{"beside seeds, deleted", true, "INSERT INTO seeded VALUES (21, 'x'), (22, 'y'); DELETE FROM seeded WHERE id = 21"},
	{"beside seeds, rolled back", true, "BEGIN; INSERT INTO seeded VALUES (21, 'x'); SAVEPOINT s; DELETE FROM seeded; ROLLBACK"},
	{"beside seeds, toast", true, "INSERT INTO seeded SELECT 21, string_agg(md5(j::text), '') FROM generate_series(1, 300) j"},
	{"seeds locked", true, "BEGIN; SELECT * FROM seeded FOR UPDATE; COMMIT; INSERT INTO keyed SELECT id FROM seeded"},
	{"seeds updated", false, "UPDATE seeded SET v = 'changed' WHERE id = 3"},
	{"seeds updated, rolled back", true, "BEGIN; UPDATE seeded SET v = 'changed' WHERE id = 3; ROLLBACK"},
	{"seeds upserted", false, "INSERT INTO seeded VALUES (3, 'x'), (21, 'x') ON CONFLICT (id) DO UPDATE SET v = excluded.v"},
	{"seeds deleted", false, "DELETE FROM seeded WHERE id = 3"},
	{"seeds replaced", false, "DELETE FROM seeded WHERE id = 3; INSERT INTO seeded VALUES (3, 'v3')"},
	{"all seeds deleted", false, "DELETE FROM seeded; INSERT INTO seeded VALUES (1, 'v1')"},
	{"seeds of odd types", false, "UPDATE odd SET f = 1; DELETE FROM odd WHERE n IS NULL"},
	{"seeds with a generated column", false, "UPDATE generated SET id = 4"},
	{"seeds older than a column", false, "UPDATE later SET v = 'x' WHERE id = 1"},
	{"seeds with an heir", true, "INSERT INTO grown_base VALUES (2)"},
	{"seeds on more than a page", false, "INSERT INTO many VALUES (1001, 'x')"},
	{"temporary table", false, "CREATE TEMP TABLE tmp (i int); INSERT INTO tmp VALUES (1)"},
	{"temporary table in a function", false, "DO $$ BEGIN CREATE TEMP TABLE tmp AS SELECT 1 AS i; END $$"},
	{"select into", false, "SELECT 1 AS i INTO copied"},
	{"truncate", false, "INSERT INTO parent (name) VALUES ('a'); TRUNCATE parent CASCADE"},
	{"truncate and roll back", false, "BEGIN; TRUNCATE parent CASCADE; ROLLBACK"},
	{"large object", false, "SELECT lo_from_bytea(0, 'x')"},
	{"comment", false, "COMMENT ON TABLE parent IS 'changed'"},
	{"comment on database", false, "DO $$ BEGIN EXECUTE format('COMMENT ON DATABASE %I IS ''x''', current_database()); END $$"},
	{"statistics object", false, "CREATE STATISTICS st ON id, name FROM parent"},
	{"rolled back DDL", false, "BEGIN; CREATE TABLE gone (i int); ROLLBACK"},
	{"rolled back DDL in a block", false, "DO $$ BEGIN BEGIN CREATE TABLE gone (i int); RAISE 'no'; EXCEPTION WHEN OTHERS THEN NULL; END; END $$"},
	{"alter database set", false, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''1MB''', current_database()); END $$"},
	{"grant on database", false, "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO PUBLIC', current_database()); END $$"},
	{"alter role set", false, "DO $$ BEGIN ALTER ROLE pgcell SET work_mem = '1MB'; END $$"},
	{"refresh", false, "DO $$ BEGIN REFRESH MATERIALIZED VIEW summary; END $$"},
	{"new enum value", false, "ALTER TYPE mood ADD VALUE 'happy'"},
	{"default privileges", false, "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC"},
	{"alter sequence", false, "DO $$ BEGIN ALTER SEQUENCE counter RESTART WITH 5; END $$"},
}

// TestNextTestSeesANewClone leaves each leftover in turn in a cell, in its pool's connection, and has the recycled cell
// compared with a clone (Verify does). The next test's session must be like a new one too, also if it is a new one, as
// with a template that has functions.
func TestNextTestSeesANewClone(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{"sessions go on": shop, "new sessions": shop + code} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leaveInTurn(t, mustOpenWith(t, sql, func(c *cells.Config) {
				c.Ahead = cells.AheadOff
				c.Settings = map[string]string{"IntervalStyle": "sql_standard", "DateStyle": "SQL, DMY"}
			}))
		})
	}
}

func leaveInTurn(t *testing.T, c *cells.Cluster) {
	t.Helper()
	for _, l := range leftovers {
		before := mustTake(t, c)
		name, made := before.Name(), before.Made()
		mustRun(t, before, l.sql)
		if err := before.Return(); err != nil {
			t.Errorf("%s: %v", l.name, err)
		}
		if err := c.Quiet(t.Context()); err != nil {
			t.Fatal(err)
		}
		after := mustTake(t, c)
		if got := after.Made() == "recycled"; got != l.recycled {
			t.Errorf("%s: after a %s cell, the next is %s, want recycled = %v", l.name, made, after.Made(), l.recycled)
		}
		if after.Name() == name {
			t.Errorf("%s: name %s is given twice", l.name, name)
		}
		ensureNewSession(t, l.name, after)
		if err := after.Return(); err != nil {
			t.Errorf("%s: after the next test: %v", l.name, err)
		}
	}
}

func mustTake(t testing.TB, c *cells.Cluster) *cells.Lease {
	t.Helper()
	l, err := c.Take(context.Background(), cells.Request{Test: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// mustRun executes statements in one connection of the pool.
func mustRun(t testing.TB, l *cells.Lease, sql string) {
	t.Helper()
	conn, err := l.Pool().Acquire(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	mustRunOn(t, conn.Conn(), sql)
}

func mustRunOn(t testing.TB, conn *pgx.Conn, sql string) {
	t.Helper()
	for _, one := range statements(sql) {
		if _, err := conn.PgConn().Exec(context.Background(), one).ReadAll(); err != nil {
			t.Fatalf("%s: %v", one, err)
		}
	}
}

// statements cuts at semicolons before a space, unless in a DO block.
func statements(sql string) []string {
	if strings.HasPrefix(sql, "DO ") {
		return []string{sql}
	}
	return strings.Split(sql, "; ")
}

// ensureNewSession looks for what sessions keep.
func ensureNewSession(t *testing.T, what string, l *cells.Lease) {
	t.Helper()
	var leftovers string
	err := l.Pool().QueryRow(t.Context(), `SELECT concat_ws(', ',
		CASE WHEN current_database() <> $1 THEN 'database ' || current_database() END,
		CASE WHEN current_user <> 'pgcell' OR session_user <> 'pgcell' THEN 'user' END,
		(SELECT string_agg(name || '=' || setting, ' ') FROM pg_settings WHERE source = 'session' AND name <> 'application_name'),
		(SELECT 'parameter ' || current_setting('app.tenant', true)),
		(SELECT string_agg('statement ' || name, ' ') FROM pg_prepared_statements WHERE name !~ '^stmtcache_'),
		(SELECT string_agg('cursor ' || name, ' ') FROM pg_cursors WHERE name <> ''),
		(SELECT string_agg('channel ' || c, ' ') FROM pg_listening_channels() c),
		(SELECT 'advisory lock' FROM pg_locks WHERE locktype = 'advisory' LIMIT 1))`, l.Name()).Scan(&leftovers)
	if err != nil || leftovers != "" {
		t.Errorf("%s: the next session has %q, %v", what, leftovers, err)
	}
	if _, err := l.Pool().Exec(t.Context(), "SELECT currval('counter')"); err == nil || !strings.Contains(err.Error(), "not yet defined") {
		t.Errorf("%s: currval = %v, want it not yet defined", what, err)
	}
}
