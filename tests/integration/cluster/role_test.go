// Package cluster_test works with what all databases of a server share: roles, settings, replication slots,
// tablespaces, statistics. A cell cannot isolate these, so each test has a server of its own by pgcell.Server, and
// is its superuser there.
package cluster_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// connectAs opens a connection of a role that has LOGIN to the database postgres; private servers ask for no
// password.
func connectAs(t *testing.T, server *pgcell.PrivateServer, role string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(server.URLFor(role, "postgres"))
	if err != nil {
		t.Fatalf("URL of role %q: got error %v, want none", role, err)
	}
	return check.Conn(t, config)
}

// Rights are given by table and by column, and taken back.
func TestGrantAndRevoke(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	admin := server.Pool()
	check.Exec(t, admin, `CREATE ROLE clerk LOGIN; CREATE TABLE users (id int, name text, salary int);
		INSERT INTO users VALUES (1, 'ann', 5000)`)
	clerk := connectAs(t, server, "clerk")
	check.Fails(t, clerk, "42501", `SELECT name FROM users`)
	check.Exec(t, admin, `GRANT SELECT (id, name), UPDATE (name) ON users TO clerk`)
	check.Value(t, clerk, "ann", `SELECT name FROM users`)
	check.Exec(t, clerk, `UPDATE users SET name = 'Ann' WHERE id = 1`)
	check.Fails(t, clerk, "42501", `SELECT salary FROM users`)
	check.Fails(t, clerk, "42501", `SELECT * FROM users`)
	check.Exec(t, admin, `REVOKE ALL ON users FROM clerk`)
	check.Fails(t, clerk, "42501", `SELECT name FROM users`)
}

// A member has its group's rights at once with INHERIT, and by SET ROLE alone without.
func TestRoleMembership(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	admin := server.Pool()
	check.Exec(t, admin, `CREATE ROLE readers; CREATE TABLE users (id int); GRANT SELECT ON users TO readers;
		CREATE ROLE direct LOGIN INHERIT; CREATE ROLE careful LOGIN NOINHERIT; GRANT readers TO direct, careful`)
	check.Value(t, connectAs(t, server, "direct"), 0, `SELECT count(*) FROM users`)
	careful := connectAs(t, server, "careful")
	check.Fails(t, careful, "42501", `SELECT count(*) FROM users`)
	check.Exec(t, careful, `SET ROLE readers`)
	check.Value(t, careful, 0, `SELECT count(*) FROM users`)
	check.Value(t, careful, "readers for careful", `SELECT current_user || ' for ' || session_user`)
	check.Exec(t, careful, `RESET ROLE`)
	check.Fails(t, careful, "42501", `SET ROLE direct`)
}

// ALTER DEFAULT PRIVILEGES says what others may do with tables that are yet to be made.
func TestDefaultPrivileges(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	check.Exec(t, server.Pool(), `CREATE ROLE reader LOGIN; CREATE TABLE before (id int);
		ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO reader; CREATE TABLE after (id int)`)
	reader := connectAs(t, server, "reader")
	check.Value(t, reader, 0, `SELECT count(*) FROM after`)
	check.Fails(t, reader, "42501", `SELECT count(*) FROM before`)
}

// Row security shows each role its own rows, and refuses rows that it would not see.
func TestRowSecurity(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	admin := server.Pool()
	check.Exec(t, admin, `CREATE ROLE ann LOGIN; CREATE ROLE bob LOGIN;
		CREATE TABLE orders (owner name DEFAULT current_user, n int);
		GRANT ALL ON orders TO ann, bob; ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
		CREATE POLICY own ON orders USING (owner = current_user)`)
	ann, bob := connectAs(t, server, "ann"), connectAs(t, server, "bob")
	check.Exec(t, ann, `INSERT INTO orders (n) VALUES (1), (2)`)
	check.Exec(t, bob, `INSERT INTO orders (n) VALUES (3)`)
	check.Values(t, ann, []int{1, 2}, `SELECT n FROM orders ORDER BY n`)
	check.Values(t, bob, []int{3}, `SELECT n FROM orders`)
	check.Fails(t, bob, "42501", `INSERT INTO orders VALUES ('ann', 4)`)
	check.Equal(t, "rows of ann that bob deletes", check.Exec(t, bob, `DELETE FROM orders WHERE owner = 'ann'`), 0)
	check.Value(t, admin, 3, `SELECT count(*) FROM orders`) // a superuser sees all
}

// Policies of one kind add up, restrictive ones narrow; the table's owner is bound by FORCE alone.
func TestRowSecurityPolicies(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	check.Exec(t, server.Pool(), `CREATE ROLE shop LOGIN; GRANT CREATE ON SCHEMA public TO shop`)
	shop := connectAs(t, server, "shop")
	check.Exec(t, shop, `CREATE TABLE items (n int); INSERT INTO items SELECT generate_series(1, 6);
		ALTER TABLE items ENABLE ROW LEVEL SECURITY`)
	rows := `SELECT n FROM items ORDER BY n`
	check.Values(t, shop, []int{1, 2, 3, 4, 5, 6}, rows)
	check.Exec(t, shop, `ALTER TABLE items FORCE ROW LEVEL SECURITY`)
	check.Values[int](t, shop, nil, rows) // no policy: nothing
	check.Exec(t, shop, `CREATE POLICY low ON items USING (n <= 2); CREATE POLICY high ON items USING (n >= 5)`)
	check.Values(t, shop, []int{1, 2, 5, 6}, rows)
	check.Exec(t, shop, `CREATE POLICY even ON items AS RESTRICTIVE USING (n % 2 = 0)`)
	check.Values(t, shop, []int{2, 6}, rows)
	check.Fails(t, shop, "42501", `SET row_security = off; SELECT n FROM items`)
}

// A SECURITY DEFINER function lends its owner's rights for one purpose.
func TestSecurityDefiner(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	check.Exec(t, server.Pool(), `CREATE ROLE clerk LOGIN; CREATE TABLE users (salary int);
		INSERT INTO users VALUES (10), (20);
		CREATE FUNCTION total() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
			AS 'SELECT sum(salary) FROM users';
		REVOKE EXECUTE ON FUNCTION total() FROM PUBLIC`)
	clerk := connectAs(t, server, "clerk")
	check.Fails(t, clerk, "42501", `SELECT total()`)
	check.Exec(t, server.Pool(), `GRANT EXECUTE ON FUNCTION total() TO clerk`)
	check.Value(t, clerk, int64(30), `SELECT total()`)
	check.Fails(t, clerk, "42501", `SELECT * FROM users`)
}

// A role that owns something cannot be dropped; REASSIGN OWNED and DROP OWNED clear the way.
func TestDropRole(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	admin := server.Pool()
	check.Exec(t, admin, `CREATE ROLE ann; CREATE ROLE bob; CREATE TABLE users (id int); CREATE TABLE orders (id int);
		ALTER TABLE users OWNER TO ann; GRANT SELECT ON orders TO ann`)
	err := check.Fails(t, admin, "2BP01", `DROP ROLE ann`)
	check.Equal(t, "detail", err.Detail, "owner of table users\nprivileges for table orders")
	check.Exec(t, admin, `REASSIGN OWNED BY ann TO bob; DROP OWNED BY ann; DROP ROLE ann`)
	check.Value(t, admin, "bob", `SELECT tableowner::text FROM pg_tables WHERE tablename = 'users'`)
}

// LOGIN, CONNECTION LIMIT and the right to connect say who gets in, and how often.
func TestWhoMayConnect(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	check.Exec(t, server.Pool(), `CREATE ROLE nobody_in NOLOGIN; CREATE ROLE once LOGIN CONNECTION LIMIT 1`)
	first := connectAs(t, server, "once")
	for role, code := range map[string]string{"nobody_in": "28000", "once": "53300", "unknown": "28000"} {
		_, err := pgx.Connect(t.Context(), server.URLFor(role, "postgres"))
		check.Code(t, "connect as "+role, err, code)
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatalf("close: got error %v, want none", err)
	}
	check.Until(t, "the role's one place is free again", func() bool {
		conn, err := pgx.Connect(t.Context(), server.URLFor("once", "postgres"))
		return err == nil && conn.Close(t.Context()) == nil
	})
	check.Exec(t, server.Pool(), `REVOKE CONNECT ON DATABASE postgres FROM PUBLIC`)
	check.Until(t, "connecting fails for want of the right to", func() bool {
		_, err := pgx.Connect(t.Context(), server.URLFor("once", "postgres"))
		var pgErr *pgconn.PgError
		return errors.As(err, &pgErr) && pgErr.Code == "42501" // 53300 while the session before ends
	})
}

// Predefined roles give a part of a superuser's powers, here to read everything.
func TestPredefinedRoles(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	check.Exec(t, server.Pool(), `CREATE ROLE auditor LOGIN; GRANT pg_read_all_data TO auditor;
		CREATE SCHEMA hidden; CREATE TABLE hidden.users (id int)`)
	auditor := connectAs(t, server, "auditor")
	check.Value(t, auditor, 0, `SELECT count(*) FROM hidden.users`)
	check.Fails(t, auditor, "42501", `INSERT INTO hidden.users VALUES (1)`)
}

// The right to set one parameter can be granted (PostgreSQL 15).
func TestGrantSetOnParameter(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t)
	check.NeedVersion(t, server.Pool(), 15, "GRANT ... ON PARAMETER")
	check.Exec(t, server.Pool(), `CREATE ROLE tester LOGIN`)
	tester := connectAs(t, server, "tester")
	check.Fails(t, tester, "42501", `SET session_replication_role = replica`)
	check.Exec(t, server.Pool(), `GRANT SET ON PARAMETER session_replication_role TO tester`)
	check.Exec(t, tester, `SET session_replication_role = replica`)
}
