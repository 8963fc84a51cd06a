package facts_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/facts"
	"github.com/pgcell/pgcell/tools/internal/golden"
)

// mustBuild gives what is known of the template that a recipe makes.
func mustBuild(t *testing.T, r golden.Recipe) facts.Template {
	t.Helper()
	install, err := binaries.Find(t.Context(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.pgcell")
	if err := golden.BuildFile(t.Context(), path, install, r, golden.Options{}); err != nil {
		t.Fatal(err)
	}
	m, err := golden.ReadManifest(path)
	if err != nil {
		t.Fatal(err)
	}
	return m.Facts
}

func mustFacts(t *testing.T, sql string, extensions ...string) facts.Template {
	t.Helper()
	return mustBuild(t, golden.Recipe{Extensions: extensions, Migrations: []golden.Script{{Name: "x.sql", SQL: sql}}})
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
		"CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler; CREATE TABLE t () USING other":        "table t has the access method other",
	} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			f := mustBuild(t, golden.Recipe{Superuser: true, Migrations: []golden.Script{{Name: "x.sql", SQL: sql}}})
			if f.Discard != want {
				t.Errorf("after %s: Discard = %q, want %q", sql, f.Discard, want)
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
		if n := len(table.Trees); n > 0 {
			what += fmt.Sprint(" with trees: ", n)
		}
		for _, tree := range table.Trees {
			if tree.OID == 0 || tree.Size < 8192 {
				t.Errorf("a tree of %s is %+v, want an OID and 8 kB or more", table.Name, tree)
			}
		}
		got = append(got, what)
	}
	if got, want := strings.Join(got, ", "), "public.empty, public.blooming, public.near with trees: 2, public.hashed with trees: 2, public.keyed with trees: 1, public.few with seeds"; got != want {
		t.Errorf("tables are %s, want %s", got, want)
	}
	if f.First < 500 || f.First > 1e6 {
		t.Errorf("First = %d, want a transaction number after those of the migrations", f.First)
	}
}
