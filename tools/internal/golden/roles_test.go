package golden_test

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/renew"
)

// mustClone builds a recipe, and gives its manifest and a clone of the template, as a test has it: the URL for
// [golden.Role].
func mustClone(t *testing.T, r golden.Recipe) (m golden.Manifest, url string) {
	t.Helper()
	path := mustBuild(t, r)
	m, err := golden.ReadManifest(path)
	if err != nil {
		t.Fatal(err)
	}
	s := mustServe(t, path)
	if _, err := query(t, s.URL("postgres", "postgres"), "CREATE DATABASE clone OWNER pgcell TEMPLATE "+m.Template); !errors.Is(err, pgx.ErrNoRows) {
		t.Fatal(err)
	}
	return m, s.URL(golden.Role, "clone")
}

// ensureValues asserts what queries give.
func ensureValues(t *testing.T, url string, want map[string]string) {
	t.Helper()
	for sql, want := range want {
		if got, err := query(t, url, sql); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", sql, got, err, want)
		}
	}
}

func script(sql string) []golden.Script { return []golden.Script{{Name: "1.sql", SQL: sql}} }

// TestRightsOfMigrations runs what a superuser alone may, and has tests be an ordinary role.
func TestRightsOfMigrations(t *testing.T) {
	t.Parallel()
	const ordinary = "SELECT rolsuper::text FROM pg_roles WHERE rolname = current_user"
	for name, c := range map[string]struct {
		sql        string
		extensions []string
		want       map[string]string
	}{
		"event trigger": {sql: `
CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '%', tg_tag; END $$;
CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION note();`,
			want: map[string]string{"SELECT evtowner::regrole::text FROM pg_event_trigger": "pgcell"}},
		"foreign server": {sql: "CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'other')",
			extensions: []string{"postgres_fdw"},
			want:       map[string]string{"SELECT srvowner::regrole::text FROM pg_foreign_server": "pgcell"}},
		"untrusted extension": {sql: "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw",
			want: map[string]string{"SELECT extowner::regrole::text FROM pg_extension WHERE extname = 'file_fdw'": "pgcell"}},
		"publication": {sql: "CREATE TABLE a (id int PRIMARY KEY); CREATE PUBLICATION everything FOR ALL TABLES;",
			want: map[string]string{"SELECT pubowner::regrole::text FROM pg_publication": "pgcell"}},
		"replica": {sql: `
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (parent int REFERENCES parent);
SET session_replication_role = replica;
INSERT INTO child VALUES (1);
INSERT INTO parent VALUES (1);`, want: map[string]string{"SELECT count(*)::text FROM child": "1"}},
		"triggers off": {sql: `
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (parent int REFERENCES parent);
ALTER TABLE child DISABLE TRIGGER ALL;
INSERT INTO child VALUES (1);
INSERT INTO parent VALUES (1);
ALTER TABLE child ENABLE TRIGGER ALL;`, want: map[string]string{"SELECT count(*)::text FROM child": "1"}},
		"comment on plpgsql": {sql: `
CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog;
COMMENT ON EXTENSION plpgsql IS 'mine';`,
			want: map[string]string{"SELECT obj_description(oid) FROM pg_extension WHERE extname = 'plpgsql'": "mine"}},
		"comment on extension": {sql: "SELECT pg_catalog.set_config('search_path', '', false);" + `
CREATE EXTENSION IF NOT EXISTS pg_stat_statements WITH SCHEMA public;
COMMENT ON EXTENSION pg_stat_statements IS 'mine';`, extensions: []string{"pg_stat_statements"},
			want: map[string]string{"SELECT obj_description(oid) FROM pg_extension WHERE extname = 'pg_stat_statements'": "mine"}},
		"a role": {sql: "CREATE ROLE app BYPASSRLS; CREATE ROLE root SUPERUSER; CREATE TABLE t (); ALTER TABLE t OWNER TO app",
			want: map[string]string{
				"SELECT pg_has_role('app', 'MEMBER')::text": "true", "SELECT pg_has_role('root', 'MEMBER')::text": "false",
				"SELECT tableowner::text FROM pg_tables WHERE tablename = 't'": "app", "SELECT count(*)::text FROM t": "0",
			}},
		"more for pgcell": {sql: "ALTER ROLE pgcell NOLOGIN CREATEROLE CREATEDB REPLICATION BYPASSRLS",
			want: map[string]string{
				"SELECT concat(rolcreaterole, rolcreatedb, rolreplication, rolbypassrls) FROM pg_roles WHERE rolname = current_user": "ffff"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, clone := mustClone(t, golden.Recipe{Extensions: c.extensions, Migrations: script(c.sql)})
			ensureValues(t, clone, c.want)
			ensureValues(t, clone, map[string]string{ordinary: "false"})
			if m.Superuser || m.Facts.Discard != "" {
				t.Errorf("Superuser = %v, Discard = %q; want an ordinary role, and nothing against recycling", m.Superuser, m.Facts.Discard)
			}
		})
	}
}

// TestGivenToPostgres has a dump of a database that the superuser of production owns: tests must be able to use it, and
// no function of it may run as a superuser.
func TestGivenToPostgres(t *testing.T) {
	t.Parallel()
	m, clone := mustClone(t, golden.Recipe{Roles: []string{"reader"}, Migrations: script(`
CREATE SCHEMA app;
ALTER SCHEMA app OWNER TO postgres;
CREATE TABLE app.t (id serial PRIMARY KEY, v text);
ALTER TABLE app.t OWNER TO postgres;
CREATE FUNCTION app.f() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT current_user::text';
ALTER FUNCTION app.f() OWNER TO postgres;
CREATE EXTENSION dblink;
REVOKE ALL ON TABLE app.t FROM PUBLIC;
GRANT ALL ON TABLE app.t TO postgres;
GRANT SELECT ON TABLE app.t TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA app GRANT SELECT ON TABLES TO reader;`)})
	if m.Facts.Discard != "" {
		t.Errorf("Discard = %q, want none", m.Facts.Discard)
	}
	ensureValues(t, clone, map[string]string{
		"INSERT INTO app.t (v) VALUES ('x') RETURNING id::text": "1",
		"SELECT app.f()": "pgcell",
		"SELECT has_table_privilege('reader', 'app.t', 'SELECT')::text":                                                                    "true",
		"SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'app'":                                                           "pgcell",
		"SELECT rolsuper::text FROM pg_roles WHERE rolname = 'postgres' AND oid = 10":                                                      "true",
		"SELECT string_agg(rolname, ' ') FROM pg_roles WHERE oid >= 16384 AND rolname ~ 'p'":                                               "pgcell",
		"SELECT has_function_privilege('dblink_connect_u(text)', 'EXECUTE')::text":                                                         "false",
		"SELECT has_function_privilege('dblink_connect(text)', 'EXECUTE')::text":                                                           "true",
		"SELECT count(*)::text FROM pg_proc WHERE oid >= 16384 AND prosecdef AND proowner = 10 AND has_function_privilege(oid, 'EXECUTE')": "0",
	})
}

// TestNotOrdinary reports what lets a test be more than an ordinary role: its cells must not be used again. What holds
// for the whole server is told by the server that runs.
func TestNotOrdinary(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		recipe golden.Recipe
		want   string
		since  int
	}{
		"declared":  {recipe: golden.Recipe{Roles: []string{"root SUPERUSER"}}, want: "role pgcell is a member of root"},
		"granted":   {recipe: golden.Recipe{Migrations: script("CREATE ROLE root SUPERUSER; CREATE ROLE a; GRANT root TO a")}, want: "role a is a member of root"},
		"programs":  {recipe: golden.Recipe{Migrations: script("GRANT pg_execute_server_program TO CURRENT_USER")}, want: "role pgcell is a member of pg_execute_server_program"},
		"definer":   {recipe: golden.Recipe{Migrations: script("CREATE ROLE root SUPERUSER; CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; ALTER FUNCTION f() OWNER TO root")}, want: "function f() runs with the rights of superuser root"},
		"system":    {recipe: golden.Recipe{Migrations: script("GRANT ALTER SYSTEM ON PARAMETER work_mem TO CURRENT_USER")}, want: "role pgcell may change parameter work_mem"},
		"parameter": {recipe: golden.Recipe{Migrations: script("GRANT SET ON PARAMETER track_counts TO CURRENT_USER")}, want: "role pgcell may change parameter track_counts"},
		"files":     {recipe: golden.Recipe{Migrations: script("ALTER SYSTEM SET track_counts = off")}, want: "the server has track_counts = off"},
		"login": {recipe: golden.Recipe{Migrations: script(`
CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER entered ON login EXECUTE FUNCTION f()`)}, want: "event trigger entered fires when a session begins", since: 17},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if mustInstall(t).Version.Major < max(15, c.since) {
				t.Skip("this PostgreSQL does not have it")
			}
			path := mustBuild(t, c.recipe)
			m, err := golden.ReadManifest(path)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := pgx.Connect(t.Context(), mustServe(t, path).URL("postgres", "postgres"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.Background())
			got, err := renew.Uncounted(t.Context(), conn, m.Postgres.Major)
			if got = cmp.Or(m.Facts.Discard, got); err != nil || got != c.want {
				t.Errorf("cells are not used again since %q, %v; want %q", got, err, c.want)
			}
		})
	}
	for name, r := range map[string]golden.Recipe{"attribute": {Superuser: true}, "role": {Roles: []string{"pgcell SUPERUSER"}}} {
		if m, err := golden.ReadManifest(mustBuild(t, r)); err != nil || !m.Superuser {
			t.Errorf("%s: Superuser = %v, %v; want true", name, m.Superuser, err)
		}
	}
}

// dump is as pg_dump writes it, with roles that it takes for granted.
const dump = `
CREATE TABLE t (id int);

ALTER TABLE t OWNER TO app_owner;
GRANT SELECT ON TABLE t TO "Reader";
`

func TestMissingRole(t *testing.T) {
	t.Parallel()
	r := golden.Recipe{Roles: []string{"writer NOINHERIT"}, Migrations: []golden.Script{{Name: "db/schema.sql", SQL: dump}}}
	err := golden.BuildFile(t.Context(), filepath.Join(t.TempDir(), "x"), mustInstall(t), r, golden.Options{})
	var missing *golden.MigrationError
	if !errors.As(err, &missing) {
		t.Fatalf("Build = %v, want a MigrationError", err)
	}
	want := `build template: db/schema.sql:4: ERROR: role "app_owner" does not exist (SQLSTATE 42704)
    HINT: make the role before the migrations: roles = ["writer NOINHERIT", "app_owner"] in pg_template, or ` +
		`Config.Roles: []string{"writer NOINHERIT", "app_owner"} in Go; "auto" in place of names makes every role that is missing`
	if got := err.Error(); got != want {
		t.Errorf("Build = %s\nwant %s", got, want)
	}
}

func TestAutoRoles(t *testing.T) {
	t.Parallel()
	m, clone := mustClone(t, golden.Recipe{Roles: []string{"auto"}, Migrations: script(dump)})
	if m.Facts.Discard != "" {
		t.Errorf("Discard = %q, want none", m.Facts.Discard)
	}
	ensureValues(t, clone, map[string]string{
		"SELECT tableowner::text FROM pg_tables WHERE tablename = 't'":                                             "app_owner",
		"SELECT has_table_privilege('Reader', 't', 'SELECT')::text":                                                "true",
		"SELECT string_agg(rolname || rolcanlogin, ' ' ORDER BY rolname) FROM pg_roles WHERE oid >= 16384":         "Readerfalse app_ownerfalse pgcelltrue",
		"SELECT bool_and(pg_has_role(oid, 'MEMBER'))::text FROM pg_roles WHERE rolname IN ('Reader', 'app_owner')": "true",
		"SELECT count(*)::text FROM t": "0",
	})
}

func TestExtensionOptions(t *testing.T) {
	t.Parallel()
	_, clone := mustClone(t, golden.Recipe{Extensions: []string{
		"hstore", "citext SCHEMA ext VERSION '1.5'", `"uuid-ossp" version "1.1" schema "My Own"`, "earthdistance with schema ext cascade",
	}})
	ensureValues(t, clone, map[string]string{
		"SELECT string_agg(extname || ' ' || extnamespace::regnamespace, ', ' ORDER BY extname) FROM pg_extension": `citext ext, cube ext, earthdistance ext, hstore public, plpgsql pg_catalog, uuid-ossp "My Own"`,
		"SELECT extversion FROM pg_extension WHERE extname = 'citext'":                                             "1.5",
		"SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'ext'":                                   "pgcell",
	})
}
