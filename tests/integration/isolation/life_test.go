package isolation_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// The worker's name comes from Bazel's shard index; without shards it is master.
func TestWorkerName(t *testing.T) {
	t.Parallel()
	want := "master"
	if _, err := strconv.Atoi(os.Getenv("PGCELL_TOTAL_SHARDS")); err == nil { // where the plan has put TEST_TOTAL_SHARDS
		want = "w" + os.Getenv("TEST_SHARD_INDEX")
	}
	check.Equal(t, "worker", pgcell.Worker(), want)
	if cell := newCell(t); !strings.HasPrefix(cell.Name(), "test_db_"+want+"_") {
		t.Errorf("cell's name: got %s, want worker %s in it", cell.Name(), want)
	}
}

// TEST_DB_NAME, TEST_DB_NAME_2 and TEST_TABLE_NAME name the newest cells, for code that reads them.
//
// Not parallel: the variables are the process's, and a test beside this one would set them too.
func TestEnvironmentVariables(t *testing.T) {
	first, second := newCell(t), newCell(t)
	for variable, want := range map[string]string{
		"TEST_DB_NAME": first.Name(), "TEST_DB_NAME_2": second.Name(), "TEST_TABLE_NAME": first.Table()} {
		check.Equal(t, variable, os.Getenv(variable), want)
	}
}

// Table gives a name that a program can use for its table where the name must differ from test to test.
func TestTableName(t *testing.T) {
	t.Parallel()
	cell := newCell(t)
	check.Exec(t, cell.Pool(), `CREATE TABLE `+cell.Table()+` (id int); INSERT INTO `+cell.Table()+` VALUES (1)`)
	check.Value(t, cell.Pool(), 1, `SELECT id FROM `+cell.Table())
}

// After a test its cell is gone: whoever kept its URL is told so, and does not meet another test's data.
func TestCellIsGoneAfterItsTest(t *testing.T) {
	t.Parallel()
	var url, name string
	t.Run("first", func(t *testing.T) {
		cell := newCell(t)
		url, name = cell.URL(), cell.Name()
		check.Exec(t, cell.Pool(), `CREATE TABLE users (id int)`)
	})
	t.Run("second", func(t *testing.T) {
		check.Until(t, "cell "+name+" does not exist", func() bool {
			conn, err := pgx.Connect(t.Context(), url)
			if err == nil {
				return conn.Close(t.Context()) != nil
			}
			check.Code(t, "connect to the former cell", err, "3D000")
			return true
		})
		db := newCell(t).Pool()
		check.Value(t, db, 0, `SELECT count(*) FROM pg_database WHERE datname = $1`, name)
		check.Fails(t, db, "42P01", `SELECT * FROM users`)
	})
}

// Connections that a test forgot to close are ended with its cell, also in the middle of a transaction.
func TestForgottenConnectionIsEnded(t *testing.T) {
	t.Parallel()
	var forgotten *pgx.Conn
	t.Run("first", func(t *testing.T) {
		cell := newCell(t)
		var err error
		if forgotten, err = pgx.ConnectConfig(t.Context(), cell.Config()); err != nil {
			t.Fatalf("connect: got error %v, want none", err)
		}
		check.Exec(t, forgotten, `CREATE TABLE users (id int); BEGIN; LOCK TABLE users`)
	})
	check.Until(t, "the forgotten connection is ended", func() bool {
		_, err := forgotten.Exec(t.Context(), `SELECT 1`)
		return err != nil
	})
}

// The pool is closed with the test; a goroutine that outlives it gets an error.
func TestPoolIsClosedAfterItsTest(t *testing.T) {
	t.Parallel()
	var pool *pgxpool.Pool
	t.Run("first", func(t *testing.T) {
		pool = newCell(t).Pool()
		check.Value(t, pool, 1, `SELECT 1`)
	})
	if _, err := pool.Exec(t.Context(), `SELECT 1`); err == nil {
		t.Error("statement on the pool of a test that has ended: got no error, want one")
	}
}

// Pool gives the same pool each time, Config a new copy each time, and all ways lead to one database.
func TestWaysIntoACell(t *testing.T) {
	t.Parallel()
	cell := newCell(t)
	if first, again := cell.Pool(), cell.Pool(); first != again {
		t.Error("Pool(): got two pools, want one")
	}
	config := cell.Config()
	config.Database = "changed"
	check.Equal(t, "database of a further copy", cell.Config().Database, cell.Name())

	conn, err := pgx.Connect(t.Context(), cell.URL())
	if err != nil {
		t.Fatalf("connect to %s: got error %v, want none", cell.URL(), err)
	}
	defer conn.Close(context.Background()) //nolint:errcheck // the server ends it anyway
	const name = `SELECT current_database()::text`
	check.Value(t, conn, cell.Name(), name)
	check.Value(t, cell.Pool(), cell.Name(), name)
	var got string
	if err := cell.DB().QueryRowContext(t.Context(), name).Scan(&got); err != nil {
		t.Fatalf("query through database/sql: got error %v, want none", err)
	}
	check.Equal(t, "through database/sql", got, cell.Name())
}

// A cell's role owns its database and may do there what an application's owner may, but it is no superuser.
func TestRoleIsOrdinary(t *testing.T) {
	t.Parallel()
	db := newCell(t).Pool()
	type rights struct{ Super, CreateRole, CreateDB, Replication, BypassRLS bool }
	check.Rows(t, db, []rights{{}}, `SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls
		FROM pg_roles WHERE rolname = current_user`)
	check.Value(t, db, "pgcell",
		`SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = current_database()`)
	check.Value(t, db, true, `SELECT has_database_privilege(current_database(), 'CREATE, TEMPORARY')`)
	check.Exec(t, db, `CREATE SCHEMA own; CREATE TABLE own.users (id int); CREATE TABLE public.users (id int)`)
}

// What would reach beyond the cell is refused: roles, server settings, files, other databases.
func TestRoleCannotReachTheServer(t *testing.T) {
	t.Parallel()
	db := newCell(t).Pool()
	for _, statement := range []string{
		`CREATE ROLE intruder`, `ALTER SYSTEM SET work_mem = '1GB'`, `CREATE DATABASE another`,
		`SELECT pg_reload_conf()`,
		`SELECT pg_read_file('postgresql.conf')`, `SET session_replication_role = replica`, `SET track_counts = off`,
		`CREATE TABLESPACE more LOCATION '/tmp'`, `SELECT pg_stat_reset()`, `ALTER ROLE pgcell SUPERUSER`,
	} {
		check.Fails(t, db, "42501", statement)
	}
}

// The templates that cells come from are sealed: nobody can connect to them and change what later tests get.
func TestTemplatesAreSealed(t *testing.T) {
	t.Parallel()
	cell := newCell(t, shop)
	templates := check.Column[string](t, cell.Pool(),
		`SELECT datname::text FROM pg_database WHERE datistemplate AND datname NOT IN ('template0', 'template1')`)
	if len(templates) == 0 {
		t.Fatal("templates: got none, want the one that this cell was made from")
	}
	for _, name := range templates {
		config := cell.Config()
		config.Database = name
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if err == nil {
			_ = conn.Close(t.Context())
		}
		check.Code(t, "connect to template "+name, err, "55000")
		check.Fails(t, cell.Pool(), "42501", `ALTER DATABASE `+name+` ALLOW_CONNECTIONS true`)
	}
}
