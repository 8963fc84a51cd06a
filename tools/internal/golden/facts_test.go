package golden_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

func mustFacts(t *testing.T, sql string, extensions ...string) golden.Facts {
	t.Helper()
	path := mustBuild(t, golden.Recipe{
		Extensions: extensions, Migrations: []golden.Script{{Name: "x.sql", SQL: sql}},
	})
	m, err := golden.ReadManifest(path)
	if err != nil {
		t.Fatal(err)
	}
	return m.Facts
}

// twoPaths makes tables of one name in two schemas, each of which a function has in its search_path.
const twoPaths = `
CREATE SCHEMA a; CREATE TABLE a.cfg (id int);
CREATE SCHEMA b; CREATE TABLE b.cfg (name text);
CREATE FUNCTION in_a() RETURNS void LANGUAGE sql SET search_path = pg_catalog, a, public AS 'SELECT';
CREATE FUNCTION in_b() RETURNS void LANGUAGE sql SET search_path = b AS 'SELECT';
`

// TestCold has connections go from test to test unless the template holds what leaves something in them.
func TestCold(t *testing.T) {
	t.Parallel()
	body := func(language, text string) string {
		return "CREATE FUNCTION f() RETURNS void LANGUAGE " + language + " AS $f$" + text + "$f$"
	}
	taking := func(text string) string {
		return "SET check_function_bodies = off; CREATE FUNCTION f(query text) RETURNS SETOF int LANGUAGE plpgsql AS $f$" + text + "$f$"
	}
	top := func(arguments string) string {
		return "CREATE TABLE t (n int); CREATE FUNCTION top(" + arguments +
			") RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT max(t.n) FROM public.t); END $$;"
	}
	for sql, want := range map[string]string{
		body("sql", " SELECT set_config('a.b', 'x', false); SELECT "):                                     "function f() may leave something in a connection",
		body("plpgsql", "BEGIN\n  SET LOCAL work_mem = '1MB';\nEND"):                                      "function f() may leave something in a connection",
		body("plpgsql", "BEGIN /* why */ PERFORM 1; -- then\n RESET ROLE; END"):                           "function f() may leave something in a connection",
		body("plpgsql", "BEGIN EXECUTE format('SET a.b = %L', 'x'); END"):                                 "function f() may leave something in a connection",
		"CREATE FUNCTION f() RETURNS text RETURN set_config('a.b', 'x', false)":                           "function f() may leave something in a connection",
		"CREATE VIEW v AS SELECT set_config('a.b', 'x', false) AS s":                                      "view v may leave something in a connection",
		body("sql", "SELECT setseed(0.5)"):                                                                "function f() may leave something in a connection",
		"CREATE TABLE t (x text DEFAULT set_config('a.b', 'x', false))":                                   "default of t may leave something in a connection",
		"CREATE TABLE t (CONSTRAINT c CHECK (set_config('a.b', 'x', false) = 'x'))":                       "constraint c may leave something in a connection",
		"CREATE TABLE t (); CREATE POLICY p ON t USING (set_config('a.b', 'x', false) = 'x')":             "policy p of t may leave something in a connection",
		"CREATE TABLE t (); CREATE RULE r AS ON INSERT TO t DO ALSO SELECT set_config('a.b', 'x', false)": "rule r of t may leave something in a connection",
		body("plpgsql", "BEGIN EXECUTE 'PREPARE p AS SELECT 1'; END"):                                     "function f() may leave something in a connection",
		body("plpgsql", "BEGIN EXECUTE 'DEALLOCATE ALL'; END"):                                            "function f() may leave something in a connection",
		body("plpgsql", "DECLARE at timestamptz := 'now'; BEGIN END"):                                     "function f() may leave something in a connection",
		body("sql", "SELECT tstzrange '[2020-01-01T00:00:00Z,now]'"):                                      "function f() may leave something in a connection",
		taking("BEGIN RETURN QUERY EXECUTE query USING 1; END"):                                           "function f(text) may leave something in a connection",
		taking("DECLARE q text := 'SELECT 1'; BEGIN q := query; EXECUTE (q); END"):                        "function f(text) may leave something in a connection",
		taking("DECLARE q text; BEGIN SELECT sql INTO q FROM t; EXECUTE q; END"):                          "function f(text) may leave something in a connection",
		taking("DECLARE r record; BEGIN FOR r IN SELECT 1 LOOP EXECUTE r.query; END LOOP; END"):           "function f(text) may leave something in a connection",
		taking("DECLARE r record; BEGIN FOR r IN EXECUTE $1 LOOP END LOOP; END"):                          "function f(text) may leave something in a connection",
		taking(`DECLARE part text := query || '_1'; q text; more text DEFAULT 'SELECT '; found int;
BEGIN
  q := format('CREATE TABLE %I PARTITION OF %I', part, query); -- EXECUTE query;
  EXECUTE q;
  q = concat('CREATE TRIGGER t AFTER INSERT ON ', part, ' EXECUTE FUNCTION note()');
  q := q || ';';
  EXECUTE q INTO found;
  EXECUTE format('INSERT INTO %I SELECT ($1).*', part) USING NEW;
  EXECUTE more || quote_ident(query) INTO found;
  GRANT EXECUTE ON FUNCTION f TO PUBLIC;
END`): "",
		top("") + "CREATE DOMAIN d AS int CHECK (VALUE < top())":                            "a result of function top() may stay in a connection",
		top("n int") + "CREATE TABLE u (n int); CREATE INDEX ON u (n) WHERE n > top(3)":     "a result of function top(integer) may stay in a connection",
		top("n int") + "CREATE TABLE p (n int) PARTITION BY RANGE (top(n))":                 "a result of function top(integer) may stay in a connection",
		top("") + "CREATE VIEW v AS SELECT top(); CREATE DOMAIN d AS int CHECK (VALUE < 3)": "",
		`
CREATE TABLE t (title text);
CREATE FUNCTION slug(x text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT trim(both '-' from lower(x)) $$;
CREATE INDEX ON t (slug(title));
CREATE FUNCTION valid(mail text) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN mail ~ '@'; END $$;
CREATE DOMAIN mail AS text CHECK (valid(VALUE))`: "",
		body("sql SET standard_conforming_strings = off", "SELECT"):                                        "function f() may leave something in a connection",
		twoPaths + body("plpgsql", "BEGIN END"):                                                            "function f() may be compiled in another search_path",
		twoPaths + body("plpgsql SET search_path = a", "BEGIN END"):                                        "",
		strings.ReplaceAll(twoPaths, "search_path = b", "search_path = ''") + body("plpgsql", "BEGIN END"): "",
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
CREATE AGGREGATE most(int) (SFUNC = int4larger, STYPE = int)`: "",
	} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			if got := mustFacts(t, sql).Cold; got != want {
				t.Errorf("of %s\nCold = %q, want %q", sql, got, want)
			}
		})
	}
}

// TestFolds has plans made anew after each test where those of before may hold what a function had set.
func TestFolds(t *testing.T) {
	t.Parallel()
	for what, want := range map[string]bool{
		"IMMUTABLE": true, "STABLE": false, "SET search_path = public": false, "SET search_path = ''": false,
		"SET lock_timeout = '1s' SET client_min_messages = error": false,
		"SET TimeZone = 'UTC'": true, "SET search_path = public SET enable_seqscan = off": true,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			f := mustFacts(t, "CREATE FUNCTION f() RETURNS int LANGUAGE sql "+what+" AS 'SELECT 1'")
			if f.Folds != want || f.Cold != "" {
				t.Errorf("Folds = %v, Cold = %q, want %v and none", f.Folds, f.Cold, want)
			}
		})
	}
}

// TestColdExtension has connections go from test to test with extensions that are known to keep nothing in them.
func TestColdExtension(t *testing.T) {
	t.Parallel()
	for extension, want := range map[string]string{
		"citext": "", "pg_trgm": "", "uuid-ossp": "", "dblink": "extension dblink", "postgres_fdw": "extension postgres_fdw",
		"isn": "extension isn",
	} {
		t.Run(extension, func(t *testing.T) {
			t.Parallel()
			if got := mustFacts(t, "SELECT 1", extension).Cold; got != want {
				t.Errorf("Cold = %q, want %q", got, want)
			}
		})
	}
}

// TestUnlogged asks for what a crash of the server would take from a template.
func TestUnlogged(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]bool{
		"CREATE UNLOGGED TABLE t (id serial PRIMARY KEY)":                                                  false,
		"CREATE UNLOGGED TABLE t (id serial PRIMARY KEY); INSERT INTO t DEFAULT VALUES":                    true,
		"CREATE UNLOGGED TABLE t (id serial PRIMARY KEY, v text); INSERT INTO t VALUES (1); DELETE FROM t": false,
	} {
		if got := mustFacts(t, sql).Unlogged; got != want {
			t.Errorf("%s: Unlogged = %v, want %v", sql, got, want)
		}
	}
}

// TestDiscard makes what only a superuser can, by which tests may change what is counted.
func TestDiscard(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'":                                               "",
		"CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'":                              "function f() runs with the rights of superuser pgcell",
		"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET Track_Counts = on AS 'SELECT 1'":                         "function f() sets track_counts",
		"CREATE FUNCTION f() RETURNS void LANGUAGE internal AS 'pg_stat_reset'":                                    "function f() is in language internal",
		"GRANT EXECUTE ON FUNCTION pg_stat_reset() TO PUBLIC":                                                      "function pg_stat_reset() has other privileges than PostgreSQL or its extension gave it",
		"CREATE EXTENSION pg_visibility; GRANT EXECUTE ON FUNCTION pg_truncate_visibility_map(regclass) TO PUBLIC": "function pg_truncate_visibility_map(regclass) has other privileges than PostgreSQL or its extension gave it",
		"CREATE EXTENSION citext; CREATE EXTENSION dblink":                                                         "",
	} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			path := mustBuild(t, golden.Recipe{Superuser: true, Migrations: []golden.Script{{Name: "x.sql", SQL: sql}}})
			m, err := golden.ReadManifest(path)
			if err != nil {
				t.Fatal(err)
			}
			if m.Facts.Discard != want {
				t.Errorf("after %s: Discard = %q, want %q", sql, m.Facts.Discard, want)
			}
		})
	}
}

// TestTables lists tables that rows can be taken out of, with what a recycler minds.
func TestTables(t *testing.T) {
	t.Parallel()
	f := mustFacts(t, `
CREATE TABLE empty (id int);
CREATE TABLE blooming (id int);
CREATE INDEX ON blooming USING bloom (id);
CREATE TABLE near (p point, EXCLUDE USING gist (p WITH ~=));
CREATE INDEX ON near USING spgist (p);
CREATE TABLE hashed (id int, tags text[]);
CREATE INDEX ON hashed USING hash (id);
CREATE INDEX ON hashed USING gin (tags);
CREATE TABLE published (id int);
CREATE TABLE keyed (id int PRIMARY KEY);
CREATE PUBLICATION p FOR TABLE published, keyed;
CREATE TABLE few AS SELECT generate_series(1, 7) AS id;
CREATE TABLE many AS SELECT generate_series(1, 2000) AS id;
CREATE TABLE large (v text);
ALTER TABLE large ALTER v SET STORAGE EXTERNAL;
INSERT INTO large VALUES (repeat('x', 9000))`, "bloom")
	var got []string
	for _, table := range f.Tables {
		what := table.Name
		if table.Seeds > 0 {
			what += " with seeds"
		}
		if table.Remembers {
			what += fmt.Sprint(" remembers by ", len(table.Trees))
		}
		for _, tree := range table.Trees {
			if tree.OID == 0 || tree.Size < 8192 {
				t.Errorf("a tree of %s is %+v, want an OID and 8 kB or more", table.Name, tree)
			}
		}
		got = append(got, what)
	}
	if got, want := strings.Join(got, ", "), "public.empty, public.blooming, public.near remembers by 2, public.hashed remembers by 2, public.keyed, public.few with seeds"; got != want {
		t.Errorf("tables are %s, want %s", got, want)
	}
	if f.First < 500 || f.First > 1e6 {
		t.Errorf("First = %d, want a transaction number after those of the migrations", f.First)
	}
}

// TestContent lists seeded tables whose rows can be copied back, and what they hold.
func TestContent(t *testing.T) {
	t.Parallel()
	f := mustFacts(t, `
CREATE TABLE plain (id int PRIMARY KEY, v text);
INSERT INTO plain VALUES (1, E'a\tb'), (2, NULL);
BEGIN;
CREATE TABLE one_transaction (id int);
INSERT INTO one_transaction VALUES (1);
COMMIT;
BEGIN;
CREATE TABLE added_in_it (id int);
INSERT INTO added_in_it VALUES (1);
ALTER TABLE added_in_it ADD COLUMN v text;
COMMIT;
CREATE TABLE added AS SELECT 1 AS id;
ALTER TABLE added ADD COLUMN v text;
CREATE TABLE stored AS SELECT 'x' AS v;
ALTER TABLE stored ALTER v SET STORAGE EXTERNAL;
CREATE TABLE gap AS SELECT generate_series(1, 3) AS id;
DELETE FROM gap WHERE id = 2;
CREATE TABLE generated (id int, twice int GENERATED ALWAYS AS (id * 2) STORED);
INSERT INTO generated VALUES (1);
CREATE TABLE partial (id int);
CREATE INDEX ON partial (id) WHERE id > 1;
INSERT INTO partial VALUES (1);
CREATE TABLE loose (id int) WITH (fillfactor = 50);
INSERT INTO loose VALUES (1);
CREATE TABLE xmls (d xml[]);
INSERT INTO xmls VALUES ('{}')`)
	got := map[string]string{}
	for _, table := range f.Tables {
		if table.Content != nil {
			got[table.Name] = string(table.Content)
		}
	}
	want := map[string]string{"public.plain": "1\ta\\tb\n2\t\\N\n", "public.one_transaction": "1\n"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rows that can be copied back (-want +got):\n%s", d)
	}
}
