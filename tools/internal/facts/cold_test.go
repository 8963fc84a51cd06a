package facts_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/facts"
	"github.com/pgcell/pgcell/tools/internal/postgres"
)

func has(what, word string) string {
	return what + " may leave something in a session: it has " + word + " in it"
}

func unknown(function string) string {
	return "what function " + function + " leaves in a session is not known"
}

// coldCases are templates, with what cold says of them.
var coldCases = map[string]string{
	"CREATE FUNCTION f() RETURNS int RETURN 1":                                                   unknown("f()"),
	"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'":            unknown("f()"),
	"CREATE FUNCTION f(text, text, bool) RETURNS text LANGUAGE internal AS 'set_config_by_name'": unknown("f(text,text,boolean)"),
	"CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT'":                                              unknown("p()"),
	"CREATE AGGREGATE most(int) (SFUNC = int4larger, STYPE = int)":                               unknown("most(integer)"),

	"CREATE VIEW v AS SELECT set_config('a.b', 'x', false) AS s":                                      has("view v", "set_config"),
	"CREATE MATERIALIZED VIEW v AS SELECT set_config('a.b', 'x', false) AS s":                         has("materialized view v", "set_config"),
	"CREATE VIEW v AS SELECT * FROM pg_settings":                                                      has("view v", "pg_settings"),
	"CREATE TABLE t (x text DEFAULT set_config('a.b', 'x', false))":                                   has("default value for column x of table t", "set_config"),
	"CREATE TABLE t (CONSTRAINT c CHECK (set_config('a.b', 'x', false) = 'x'))":                       has("constraint c on table t", "set_config"),
	"CREATE TABLE t (); CREATE POLICY p ON t USING (set_config('a.b', 'x', false) = 'x')":             has("policy p on table t", "set_config"),
	"CREATE TABLE t (); CREATE POLICY p ON t WITH CHECK (set_config('a.b', 'x', false) = 'x')":        has("policy p on table t", "set_config"),
	"CREATE TABLE t (); CREATE RULE r AS ON INSERT TO t DO ALSO SELECT set_config('a.b', 'x', false)": has("rule r on table t", "set_config"),
	"CREATE DOMAIN d AS text DEFAULT set_config('a.b', 'x', false)":                                   has("type d", "set_config"),
	"CREATE DOMAIN d AS text CONSTRAINT c CHECK (set_config('a.b', VALUE, false) = 'x')":              has("constraint c", "set_config"),
	"CREATE OPERATOR ## (RIGHTARG = float8, FUNCTION = setseed)":                                      has("operator ##(NONE,double precision)", "setseed"),

	`
CREATE TABLE users (id int PRIMARY KEY, role text DEFAULT 'set_config', at timestamptz DEFAULT now());
CREATE INDEX ON users (lower(role)) WHERE role <> 'x';
CREATE POLICY p ON users USING (role = current_setting('app.role', true));
CREATE RULE r AS ON DELETE TO users DO INSTEAD UPDATE users SET role = 'gone' WHERE id = OLD.id;
CREATE RULE s AS ON INSERT TO users DO ALSO (SELECT 1; SELECT 2);
CREATE STATISTICS st ON (lower(role)), (upper(role)) FROM users;
CREATE TRIGGER same BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TABLE p (n int) PARTITION BY RANGE ((n % 7));
CREATE DOMAIN mail AS text CHECK (VALUE ~ '@');
CREATE TYPE pair AS (a int, b int);
CREATE CAST (pair AS text) WITH INOUT;
CREATE VIEW v AS SELECT role FROM users`: "",
}

// TestCold has sessions go from test to test unless the template holds what leaves something in them.
func TestCold(t *testing.T) {
	t.Parallel()
	install, err := binaries.Find(t.Context(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	server, err := postgres.Start(t.Context(), postgres.Config{Install: install})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	admin, err := server.Connect(t.Context(), "postgres", "postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.Background())
	n := 0
	for sql, want := range coldCases {
		n++
		name := fmt.Sprint("c", n)
		if _, err := admin.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
			t.Fatal(err)
		}
		conn, err := server.Connect(t.Context(), "postgres", name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		got, err := facts.Cold(t.Context(), conn)
		if err != nil || got != want {
			t.Errorf("of %s\nCold = %q, %v, want %q", sql, got, err, want)
		}
		conn.Close(t.Context())
	}
}

// TestColdExtension has sessions go from test to test with extensions that are known to keep nothing in them.
func TestColdExtension(t *testing.T) {
	t.Parallel()
	for extension, cold := range map[string]bool{
		"citext": false, "pg_trgm": false, "uuid-ossp": false, "tablefunc": false, "dblink": true, "postgres_fdw": true, "isn": true,
	} {
		t.Run(extension, func(t *testing.T) {
			t.Parallel()
			got := mustFacts(t, "SELECT 1", extension).Cold
			if cold != strings.HasSuffix(got, " of extension "+extension+" leaves in a session is not known") {
				t.Errorf("Cold = %q, want a reason: %v", got, cold)
			}
		})
	}
}
