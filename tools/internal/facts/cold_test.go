package facts_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/facts"
	"github.com/pgcell/pgcell/tools/internal/postgres"
)

// twoPaths makes tables of one name in two schemas, each of which a function has in its search_path.
const twoPaths = `
CREATE SCHEMA a; CREATE TABLE a.cfg (id int);
CREATE SCHEMA b; CREATE TABLE b.cfg (name text);
CREATE FUNCTION in_a() RETURNS void LANGUAGE sql SET search_path = pg_catalog, a, public AS 'SELECT';
CREATE FUNCTION in_b() RETURNS void LANGUAGE sql SET search_path = b AS 'SELECT';
`

func body(language, text string) string {
	return "SET check_function_bodies = off; CREATE FUNCTION f() RETURNS void LANGUAGE " + language + " AS $f$" + text + "$f$;"
}

func has(what, word string) string {
	return what + " may leave something in a session: it has " + word + " in it"
}

func kept(function string) string {
	return "a session may keep a result of function " + function + ", which an index, a domain or a partitioned table calls"
}

const top = "CREATE TABLE t (n int); CREATE FUNCTION top(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT max(t.n) FROM public.t); END $$;"

// coldCases are templates, with what cold says of them.
var coldCases = map[string]string{
	body("sql", "SELECT set_config('a.b', 'x', false); SELECT "):                                      has("function f()", "set_config"),
	body("sql", "SELECT setseed(0.5)"):                                                                has("function f()", "setseed"),
	body("sql", "UPDATE pg_settings SET setting = '7' WHERE name = 'a.b'"):                            has("function f()", "pg_settings"),
	body("plpgsql", "BEGIN\n  SET LOCAL work_mem = '1MB';\nEND"):                                      has("function f()", "set"),
	body("plpgsql", "BEGIN /* why */ PERFORM 1; -- then\n RESET ROLE; END"):                           has("function f()", "reset"),
	body("plpgsql", "BEGIN EXECUTE format('SET a.b = %L', 'x'); END"):                                 has("function f()", "execute"),
	body("plpgsql", "DECLARE r record; BEGIN FOR r IN EXECUTE 'SE' || 'T' LOOP END LOOP; END"):        has("function f()", "execute"),
	body("plpgsql", "BEGIN DO $x$ BEGIN END $x$; END"):                                                has("function f()", "do"),
	"CREATE FUNCTION f() RETURNS text RETURN set_config('a.b', 'x', false)":                           has("function f()", "set_config"),
	"CREATE FUNCTION f(x text DEFAULT set_config('a.b', 'x', false)) RETURNS text RETURN x":           has("function f(text)", "set_config"),
	"CREATE VIEW v AS SELECT set_config('a.b', 'x', false) AS s":                                      has("view v", "set_config"),
	"CREATE TABLE t (x text DEFAULT set_config('a.b', 'x', false))":                                   has("default of t", "set_config"),
	"CREATE TABLE t (CONSTRAINT c CHECK (set_config('a.b', 'x', false) = 'x'))":                       has("constraint c", "set_config"),
	"CREATE TABLE t (); CREATE POLICY p ON t USING (set_config('a.b', 'x', false) = 'x')":             has("policy p of t", "set_config"),
	"CREATE TABLE t (); CREATE RULE r AS ON INSERT TO t DO ALSO SELECT set_config('a.b', 'x', false)": has("rule r of t", "set_config"),
	"CREATE DOMAIN d AS text DEFAULT set_config('a.b', 'x', false)":                                   has("type d", "set_config"),
	"CREATE DOMAIN d AS text CONSTRAINT c CHECK (set_config('a.b', VALUE, false) = 'x')":              has("constraint c", "set_config"),
	"CREATE AGGREGATE s(text, bool) (SFUNC = set_config, STYPE = text)":                               has("aggregate s(text,boolean)", "set_config"),
	"CREATE OPERATOR ## (RIGHTARG = float8, FUNCTION = setseed)":                                      has("operator ##(NONE,double precision)", "setseed"),
	"CREATE FUNCTION f(text, text, bool) RETURNS text LANGUAGE internal AS 'set_config_by_name'": "function f(text,text,boolean) is in the language internal, " +
		"and of no extension that is known to keep nothing in a session",
	top + "CREATE DOMAIN d AS int CHECK (VALUE < top(VALUE))":                                                       kept("top(integer)"),
	top + "CREATE TABLE u (n int); CREATE INDEX ON u (n) WHERE n > top(n)":                                          kept("top(integer)"),
	top + "CREATE TABLE p (n int) PARTITION BY RANGE (top(n))":                                                      kept("top(integer)"),
	"CREATE FUNCTION one() RETURNS int IMMUTABLE RETURN 1; CREATE DOMAIN d AS int CHECK (VALUE > one())":            kept("one()"),
	top + "CREATE FUNCTION f(n int) RETURNS int IMMUTABLE RETURN top(n); CREATE DOMAIN d AS int CHECK (f(VALUE)>0)": kept("f(integer)"),
	top + "CREATE VIEW v AS SELECT top(1); CREATE DOMAIN d AS int CHECK (VALUE < 3)":                                "",
	`
CREATE TABLE t (title text);
CREATE FUNCTION slug(x text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT regexp_replace(lower(x), '\W+', '-', 'g') $$;
CREATE INDEX ON t (slug(title));
CREATE FUNCTION valid(mail text) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN mail ~ '@'; END $$;
CREATE DOMAIN mail AS text CHECK (valid(VALUE))`: "",
	body("sql SET standard_conforming_strings = off", "SELECT"):                                 "function f() sets standard_conforming_strings",
	body("sql SET app.tenant = '7'", "SELECT"):                                                  "function f() sets app.tenant",
	body("sql SET search_path = public SET TimeZone = 'UTC' SET lock_timeout = '1s'", "SELECT"): "",
	twoPaths + body("plpgsql", "BEGIN END"):                                                     "function f() may be compiled in another search_path",
	twoPaths + body("plpgsql SET search_path = a", "BEGIN END"):                                 "",
	strings.ReplaceAll(twoPaths, "b.cfg", "b.other") + body("plpgsql", "BEGIN END"):             "",
	`
CREATE TABLE users (id int PRIMARY KEY, role text, local text, session text, at timestamptz);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $f$
BEGIN -- if new then set a default
  UPDATE users SET role = NEW.role || ' x', at = now() WHERE id = NEW.id AND role <> 'y';
  UPDATE users
  SET local = 'x', session = 'y';
  INSERT INTO users VALUES (1) ON CONFLICT (id) DO UPDATE SET role = EXCLUDED.role;
  /* set
     nothing */ UPDATE feedback_loop SET x = 1; /* */
  RETURN NEW;
END $f$;
CREATE TRIGGER t AFTER UPDATE ON users FOR EACH ROW WHEN (NEW.role = 'set') EXECUTE FUNCTION f();
CREATE POLICY p ON users USING (role = current_setting('app.role', true));
CREATE RULE r AS ON DELETE TO users DO INSTEAD UPDATE users SET role = 'gone' WHERE id = OLD.id;
CREATE RULE s AS ON INSERT TO users DO ALSO (SELECT 1; SELECT 2);
CREATE STATISTICS st ON (lower(role)), (upper(role)) FROM users;
CREATE AGGREGATE most(int) (SFUNC = int4larger, STYPE = int)`: "",
}

// TestCold has sessions go from test to test unless the template holds what leaves something in them.
func TestCold(t *testing.T) {
	t.Parallel()
	install, err := postgres.Find(t.Context(), postgres.DefaultSearch(os.Getenv))
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
			if cold != strings.Contains(got, ", and of no extension that is known to keep nothing in a session") {
				t.Errorf("Cold = %q, want a reason: %v", got, cold)
			}
		})
	}
}
