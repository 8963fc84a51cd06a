package cluster_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// openDatabase connects to a database of a private server as its superuser.
func openDatabase(t *testing.T, server *pgcell.PrivateServer, name string) *pgx.Conn {
	t.Helper()
	config := server.Config()
	config.Database = name
	return check.Conn(t, config)
}

// CREATE DATABASE copies a template with all that is in it, the way cells are made; nobody may be connected to it
// meanwhile.
func TestDatabaseFromTemplate(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	admin := check.Conn(t, server.Config())
	check.Exec(t, admin, `CREATE DATABASE shop`)
	shop := openDatabase(t, server, "shop")
	check.Exec(t, shop, `CREATE TABLE items (n int); INSERT INTO items VALUES (1)`)
	// It waits 5 s for the session to end and then gives up with 55006; this test has not that much time.
	check.Exec(t, admin, `SET statement_timeout = '50ms'`)
	check.Fails(t, admin, "57014", `CREATE DATABASE copy TEMPLATE shop`)
	check.Exec(t, admin, `RESET statement_timeout`)
	if err := shop.Close(t.Context()); err != nil {
		t.Fatalf("close: got error %v, want none", err)
	}
	check.Exec(t, admin, `CREATE DATABASE copy TEMPLATE shop`)
	copied := openDatabase(t, server, "copy")
	check.Exec(t, copied, `INSERT INTO items VALUES (2)`)
	check.Value(t, copied, 2, `SELECT count(*) FROM items`)
	check.Value(t, openDatabase(t, server, "shop"), 1, `SELECT count(*) FROM items`)
}

// A database in use is not dropped, but by FORCE, which ends its sessions.
func TestDropDatabaseInUse(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	admin := check.Conn(t, server.Config())
	check.Exec(t, admin, `CREATE DATABASE shop`)
	user := openDatabase(t, server, "shop")
	check.Fails(t, admin, "55006", `DROP DATABASE postgres`) // one's own
	check.Exec(t, admin, `DROP DATABASE shop WITH (FORCE)`)
	if _, err := user.Exec(t.Context(), `SELECT 1`); err == nil {
		t.Error("statement in the dropped database: got no error, want one")
	}
	check.Fails(t, admin, "25001", `BEGIN; DROP DATABASE IF EXISTS shop`)
}

// A database has its own limit of connections, encoding, collation and owner.
func TestDatabaseAttributes(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	admin := check.Conn(t, server.Config())
	check.Exec(t, admin, `CREATE ROLE ann LOGIN`)
	check.Exec(t, admin,
		`CREATE DATABASE old OWNER ann ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0 CONNECTION LIMIT 1`)
	type row struct{ Owner, Encoding, Collate string }
	check.Rows(t, admin, []row{{"ann", "LATIN1", "C"}}, `
		SELECT pg_get_userbyid(datdba)::text, pg_encoding_to_char(encoding)::text, datcollate::text
		FROM pg_database WHERE datname = 'old'`)
	first, err := pgx.Connect(t.Context(), server.URLFor("ann", "old"))
	if err != nil {
		t.Fatalf("connect: got error %v, want none", err)
	}
	// Go's strings are; without it the server takes the bytes for Latin-1
	check.Exec(t, first, `SET client_encoding = 'UTF8'`)
	check.Fails(t, first, "22P05", `SELECT $1::text`, "日本")
	_, err = pgx.Connect(t.Context(), server.URLFor("ann", "old"))
	check.Code(t, "second connection", err, "53300")
	if err := first.Close(t.Context()); err != nil {
		t.Fatalf("close: got error %v, want none", err)
	}
}

// A tablespace is a directory of the server's; tables move in and out, and it must be empty to be dropped.
func TestTablespace(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	admin := check.Conn(t, server.Config())
	check.Exec(t, admin, `CREATE TABLESPACE fast LOCATION '`+server.Dir()+`'`)
	check.Exec(t, admin,
		`CREATE TABLE items (n int) TABLESPACE fast; INSERT INTO items SELECT generate_series(1, 1000)`)
	const where = `SELECT coalesce((SELECT spcname::text FROM pg_tablespace t WHERE t.oid = c.reltablespace), 'default')
		FROM pg_class c WHERE relname = 'items'`
	check.Value(t, admin, "fast", where)
	check.Fails(t, admin, "55000", `DROP TABLESPACE fast`)
	check.Exec(t, admin, `ALTER TABLE items SET TABLESPACE pg_default`)
	check.Value(t, admin, "default", where)
	check.Value(t, admin, 1000, `SELECT count(*) FROM items`)
	check.Exec(t, admin, `CREATE DATABASE shop TABLESPACE fast`)
	check.Exec(t, admin, `DROP DATABASE shop`)
	check.Exec(t, admin, `DROP TABLESPACE fast`)
}

// A tablespace is there after a restart, with what it holds.
func TestTablespaceSurvivesRestart(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	check.Exec(t, server.Pool(), `CREATE TABLESPACE fast LOCATION '`+server.Dir()+`'`)
	check.Exec(t, server.Pool(), `CREATE TABLE items TABLESPACE fast AS SELECT generate_series(1, 10) AS n`)
	if err := server.Restart(t.Context()); err != nil {
		t.Fatalf("restart: got error %v, want none", err)
	}
	check.Value(t, server.Pool(), 10, `SELECT count(*) FROM items`)
}
