package cluster_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// ServerConfig.Settings are those of postgresql.conf, for what must be known at the start.
func TestServerSettings(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t, pgcell.ServerConfig{Settings: map[string]string{
		"max_connections": "37", "wal_level": "logical", "application_name": "it's \"quoted\""}})
	for name, want := range map[string]string{"max_connections": "37", "wal_level": "logical"} {
		check.Value(t, server.Pool(), want, `SELECT current_setting($1)`, name)
	}
	check.Value(t, server.Pool(), `it's "quoted"`,
		`SELECT reset_val FROM pg_settings WHERE name = 'application_name'`)
}

// ALTER SYSTEM writes a setting down; a reload makes it count, for those settings that can change while the server
// runs.
func TestAlterSystemAndReload(t *testing.T) {
	t.Parallel()
	admin := check.Conn(t, pgcell.Server(t).Config())
	check.Exec(t, admin, `ALTER SYSTEM SET work_mem = '7MB'`)
	if got := check.One[string](t, admin, `SHOW work_mem`); got == "7MB" {
		t.Error("work_mem before the reload: got 7MB, want the old value")
	}
	check.Exec(t, admin, `SELECT pg_reload_conf()`)
	check.Until(t, "work_mem is 7MB", func() bool { return check.One[string](t, admin, `SHOW work_mem`) == "7MB" })
	check.Exec(t, admin, `ALTER SYSTEM RESET work_mem`)
	check.Exec(t, admin, `SELECT pg_reload_conf()`)
	check.Until(t, "work_mem is back", func() bool { return check.One[string](t, admin, `SHOW work_mem`) != "7MB" })
	check.Fails(t, admin, "22023", `ALTER SYSTEM SET work_mem = '1kB'`)
}

// Some settings wait for a restart: pg_settings says so, and Restart makes them count.
func TestSettingThatNeedsRestart(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	admin := server.Pool()
	check.Exec(t, admin, `ALTER SYSTEM SET max_locks_per_transaction = 77`)
	check.Exec(t, admin, `SELECT pg_reload_conf()`)
	check.Until(t, "the setting is pending", func() bool {
		return check.One[bool](t, admin,
			`SELECT pending_restart FROM pg_settings WHERE name = 'max_locks_per_transaction'`)
	})
	if err := server.Restart(t.Context()); err != nil {
		t.Fatalf("restart: got error %v, want none", err)
	}
	check.Value(t, server.Pool(), "77", `SHOW max_locks_per_transaction`)
}

// A restart keeps what was committed, unlogged tables too, and breaks every connection.
func TestRestartKeepsData(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	before := check.Conn(t, server.Config())
	check.Exec(t, before, `CREATE TABLE users (id serial, name text); CREATE UNLOGGED TABLE cache (n int);
		INSERT INTO users (name) VALUES ('ann'); INSERT INTO cache VALUES (1); CREATE TEMP TABLE scratch (n int)`)
	if err := server.Restart(t.Context()); err != nil {
		t.Fatalf("restart: got error %v, want none", err)
	}
	if _, err := before.Exec(t.Context(), `SELECT 1`); err == nil {
		t.Error("statement on a connection from before the restart: got no error, want one")
	}
	check.Values(t, server.Pool(), []string{"ann"}, `SELECT name FROM users`)
	check.Value(t, server.Pool(), 1, `SELECT count(*) FROM cache`)
	check.Value(t, server.Pool(), true, `SELECT to_regclass('scratch') IS NULL`)
	check.Exec(t, server.Pool(), `INSERT INTO users (name) VALUES ('bob')`)
}

// A setting that keeps the server from starting shows up in the error of Restart, with the end of the server's log.
func TestRestartReportsBadSetting(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	check.Exec(t, server.Pool(), `ALTER SYSTEM SET shared_preload_libraries = 'no_such_library'`)
	err := server.Restart(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no_such_library") {
		t.Errorf("restart with a library that is not there: got error %v, want one that names it", err)
	}
}

// The nearest word wins: session over role in a database, over role, over database, over the server.
func TestPrecedenceOfSettings(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	admin := server.Pool()
	check.Exec(t, admin, `CREATE ROLE ann LOGIN; CREATE ROLE bob LOGIN;
		ALTER DATABASE postgres SET work_mem = '1MB'; ALTER ROLE ann SET work_mem = '2MB'`)
	check.Value(t, connectAs(t, server, "bob"), "1MB", `SHOW work_mem`)
	check.Value(t, connectAs(t, server, "ann"), "2MB", `SHOW work_mem`)
	check.Exec(t, admin, `ALTER ROLE ann IN DATABASE postgres SET work_mem = '3MB'`)
	ann := connectAs(t, server, "ann")
	check.Value(t, ann, "3MB", `SHOW work_mem`)
	check.Exec(t, ann, `SET work_mem = '4MB'; BEGIN; SET LOCAL work_mem = '5MB'`)
	check.Value(t, ann, "5MB", `SHOW work_mem`)
	check.Exec(t, ann, `COMMIT`)
	check.Value(t, ann, "4MB", `SHOW work_mem`)
	check.Exec(t, ann, `RESET work_mem`)
	check.Value(t, ann, "3MB", `SHOW work_mem`)
}

// A parameter with a dot in its name is the program's own: a place for the current user of a web request.
func TestCustomParameters(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.Server(t).Config())
	check.Fails(t, conn, "42704", `SHOW app.user_id`)
	check.Value[*string](t, conn, nil, `SELECT current_setting('app.user_id', true)`)
	check.Exec(t, conn, `BEGIN; SELECT set_config('app.user_id', '7', true)`)
	check.Value(t, conn, "7", `SELECT current_setting('app.user_id')`)
	check.Exec(t, conn, `COMMIT`)
	check.Value(t, conn, "", `SELECT current_setting('app.user_id')`) // not NULL again: the session has seen it
}

// Two private servers are strangers: a role and a database of one are not in the other.
func TestServersAreStrangers(t *testing.T) {
	t.Parallel()
	first, second := pgcell.Server(t), pgcell.Server(t)
	check.Exec(t, first.Pool(), `CREATE ROLE ann`)
	check.Exec(t, first.Pool(), `CREATE DATABASE shop`)
	check.Exec(t, second.Pool(), `CREATE ROLE ann SUPERUSER`)
	check.Value(t, first.Pool(), false, `SELECT rolsuper FROM pg_roles WHERE rolname = 'ann'`)
	check.Value(t, second.Pool(), 0, `SELECT count(*) FROM pg_database WHERE datname = 'shop'`)
	if first.URL() == second.URL() {
		t.Errorf("URLs of two servers: got %s twice, want two", first.URL())
	}
	// Nor is it the server that cells live on.
	check.Value(t, pgcell.New(t).Pool(), 0, `SELECT count(*) FROM pg_roles WHERE rolname = 'ann'`)
}

// A superuser ends other sessions; they learn of it by 57P01.
func TestTerminateBackend(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	victim := check.Conn(t, server.Config())
	check.Value(t, server.Pool(), true, `SELECT pg_terminate_backend($1)`, victim.PgConn().PID())
	check.Until(t, "the session is gone", func() bool {
		return check.One[int](t, server.Pool(), `SELECT count(*) FROM pg_stat_activity WHERE pid = $1`,
			victim.PgConn().PID()) == 0
	})
	_, err := victim.Exec(t.Context(), `SELECT 1`, pgx.QueryExecModeSimpleProtocol)
	if err == nil {
		t.Error("statement on the ended session: got no error, want one")
	}
}
