package dump_test

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/clone"
	"github.com/pgcell/pgcell/tools/internal/dump"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/renew"
)

// made is a server with a template, and the databases made of it.
type made struct {
	server   *postgres.Server
	manifest golden.Manifest
	clones   *clone.Cloner
}

// mustMake starts a server whose template sql makes. Without a tool, PostgreSQL's package comes without pg_dump.
func mustMake(t *testing.T, sql string, tool bool) *made {
	t.Helper()
	install, err := binaries.Find(t.Context(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	if !tool {
		install.BinDir = mustOmit(t, install.BinDir, "pg_dump")
	} else if _, err := os.Stat(filepath.Join(install.BinDir, "pg_dump")); err != nil {
		t.Skip("PostgreSQL's package has no pg_dump")
	}
	path := filepath.Join(t.TempDir(), "x.pgcell")
	r := golden.Recipe{Migrations: []golden.Script{{Name: "x.sql", SQL: sql}}}
	if err := golden.BuildFile(t.Context(), path, install, r, golden.Options{}); err != nil {
		t.Fatal(err)
	}
	m := &made{}
	if m.manifest, err = golden.ReadManifest(path); err != nil {
		t.Fatal(err)
	}
	config := postgres.Config{Install: install, Source: golden.Source(path), Password: golden.Password, Settings: map[string]string{}}
	maps.Copy(config.Settings, m.manifest.Settings)
	if m.server, err = postgres.Start(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.server.Close() })
	admin, err := pgxpool.NewWithConfig(t.Context(), m.server.OwnConfig(golden.Superuser, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.Close)
	if m.clones, err = clone.New(t.Context(), m.server, admin, m.manifest, func(s string) { t.Log(s) }); err != nil {
		t.Fatal(err)
	}
	return m
}

// mustOmit gives a bin directory with the programs of another, but for one.
func mustOmit(t *testing.T, bin, program string) string {
	t.Helper()
	dir := t.TempDir()
	programs, err := os.ReadDir(bin)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		if p.Name() == program {
			continue
		}
		if err := os.Symlink(filepath.Join(bin, p.Name()), filepath.Join(dir, p.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// mustClone makes a database of the template.
func (m *made) mustClone(t *testing.T, name string) *dump.Source {
	t.Helper()
	d, err := m.clones.Create(t.Context(), name, m.manifest.Template)
	if err != nil {
		t.Fatal(err)
	}
	return &dump.Source{Server: m.server, Name: name, Tables: m.manifest.Facts.Tables, Database: &d}
}

// mustRenew has a database used by a test before: it is as new, but for its counters.
func (m *made) mustRenew(t *testing.T, s *dump.Source, statements ...string) {
	t.Helper()
	conn := m.mustConnect(t, s)
	mustExec(t, conn, statements...)
	conn.Close(t.Context())
	config := m.server.OwnConfig(golden.Superuser, s.Name).ConnConfig
	c, err := renew.Connect(t.Context(), config, &renew.Template{Facts: &m.manifest.Facts, Major: m.server.Install().Version.Major})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, reason, err := c.Renew(t.Context(), s.Database, s.Name+"_", nil, func([]renew.Leftover) {})
	if reason != "" || err != nil {
		t.Fatalf("Renew: %q, %v", reason, err)
	}
	s.Name += "_"
}

func (m *made) mustConnect(t *testing.T, s *dump.Source) *pgx.Conn {
	t.Helper()
	conn, err := m.server.Connect(t.Context(), golden.Role, s.Name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func mustExec(t *testing.T, conn *pgx.Conn, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

func mustWrite(t *testing.T, s *dump.Source, limit int64) string {
	t.Helper()
	var out strings.Builder
	if err := s.Write(t.Context(), &out, limit); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestWithoutPgDump has a package that comes without pg_dump: what a test has changed is listed, and that alone, though
// its session is still open, and a test used the database before.
func TestWithoutPgDump(t *testing.T) {
	t.Parallel()
	m := mustMake(t, `
CREATE TABLE parent (id int, name text, twice int GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE child (id int);
CREATE TABLE country (code text); INSERT INTO country VALUES ('de'), ('fr');`, false)
	s := m.mustClone(t, "cell")
	m.mustRenew(t, s, "INSERT INTO parent (id) VALUES (7); INSERT INTO child VALUES (8)")
	conn := m.mustConnect(t, s)
	mustExec(t, conn, "INSERT INTO parent (id, name) VALUES (1, 'a\tb')", "DELETE FROM country WHERE code = 'fr'",
		`CREATE TABLE "More" AS SELECT 42 AS "the answer", 'x'::text AS b`, "CREATE TABLE public.blank ()",
		"CREATE TYPE mood AS ENUM ('sad')", "CREATE VIEW moods AS SELECT 'sad'::mood AS m", "CREATE INDEX by_name ON parent (name)",
		`CREATE SCHEMA "odd ""one"`, `CREATE SEQUENCE "odd ""one"."s q"`, "CREATE MATERIALIZED VIEW seen AS SELECT 1",
		"CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE EXTENSION IF NOT EXISTS citext",
		"BEGIN", "INSERT INTO parent (id) VALUES (2)")
	_, got, _ := strings.Cut(mustWrite(t, s, 1<<20), "\n") // which says that there is no pg_dump
	const want = `-- What the test has changed:
-- New extension citext
-- New function public.one()
-- New index public.by_name
-- New materialized view public.seen
-- New schema odd "one
-- New sequence "odd ""one"."s q"
-- New type public.mood
-- New view public.moods

-- New table public."More" ("the answer" integer, b text)
COPY public."More" ("the answer", b) FROM stdin;
42	x
\.

-- New table public.blank ()

-- Changed rows in public.country, which are now:
COPY public.country (code) FROM stdin;
de
\.

-- Changed rows in public.parent, which are now:
COPY public.parent (id, name) FROM stdin;
1	a\tb
\.
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("listing differs (-want +got):\n%s", diff)
	}
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the test's session goes on; want it ended, as its counters come with its end")
	}
}

// odd is a template whose names and values need quoting.
const odd = `
CREATE SCHEMA "Sch""ema";
CREATE TYPE mood AS ENUM ('so so', 'it''s "fine"');
CREATE TABLE "Sch""ema"."Ta ble" ("a ""b""" text, "select" bytea, "Ünï" text[], j jsonb, m mood[], f float8, t timestamptz, i interval, r int4range);`

const oddRows = `INSERT INTO "Sch""ema"."Ta ble" VALUES
  (NULL, NULL, NULL, NULL, NULL, 'NaN', 'infinity', '1 mon -2 days', 'empty'),
  ('', '', '{}', '{}', '{}', '-0', '2024-02-29 12:00:00.123456+00', '0', '[1,)'),
  (E'\\N', '\x00ff5c0a', E'{"a\\\\b", NULL, "c\td", "NULL", ""}', '{"x": [1, null, "\\ \u00fc"]}', '{"it''s \"fine\""}', 0.1::float8 + 0.2, NULL, NULL, NULL),
  (E'tab\t line\n return\r back\\slash \\. end', '', NULL, '"\"quoted\""', NULL, 1e-300, '-infinity', '-00:00:00.5', '(,)'),
  (E'\\.', '\x5c2e', '{ü,"x y"}', 'null', NULL, 0, 'epoch', NULL, NULL)`

// TestOddRows loads what is written into another database of the template, which then has the same rows: by pg_dump and
// psql, and without.
func TestOddRows(t *testing.T) {
	t.Parallel()
	rows := func(t *testing.T, m *made, s *dump.Source) (text string) {
		t.Helper()
		const find = `SELECT count(*) || ' ' || string_agg(t::text, E'\n') FROM "Sch""ema"."Ta ble" t`
		if err := m.mustConnect(t, s).QueryRow(t.Context(), find).Scan(&text); err != nil {
			t.Fatal(err)
		}
		return text
	}
	t.Run("list", func(t *testing.T) {
		t.Parallel()
		m := mustMake(t, odd, false)
		from, to := m.mustClone(t, "from"), m.mustClone(t, "to")
		mustExec(t, m.mustConnect(t, from), oddRows)
		written, conn := mustWrite(t, from, 1<<20), m.mustConnect(t, to)
		for _, one := range regexp.MustCompile(`(?s)\n(COPY [^\n]+ FROM stdin);\n(.*?\n)\\\.\n`).FindAllStringSubmatch(written, -1) {
			if _, err := conn.PgConn().CopyFrom(t.Context(), strings.NewReader(one[2]), one[1]); err != nil {
				t.Fatalf("%s: %v", one[1], err)
			}
		}
		if diff := cmp.Diff(rows(t, m, from), rows(t, m, to)); diff != "" || !strings.HasPrefix(rows(t, m, to), "5 ") {
			t.Errorf("rows differ (-written +loaded):\n%s", diff)
		}
	})
	t.Run("pg_dump", func(t *testing.T) {
		t.Parallel()
		m := mustMake(t, odd, true)
		from, to := m.mustClone(t, "from"), m.mustClone(t, "to")
		mustExec(t, m.mustConnect(t, from), oddRows)
		written := mustWrite(t, from, 1<<20)
		mustExec(t, m.mustConnect(t, to), `DROP SCHEMA "Sch""ema" CASCADE; DROP TYPE mood`)
		psql := exec.Command(filepath.Join(m.server.Install().BinDir, "psql"), "-X", "-q", "-d", m.server.URL(golden.Role, "to"))
		psql.Stdin = strings.NewReader(written)
		if said, err := psql.CombinedOutput(); err != nil {
			t.Fatalf("psql: %v\n%s", err, said)
		}
		if diff := cmp.Diff(rows(t, m, from), rows(t, m, to)); diff != "" || !strings.HasPrefix(rows(t, m, to), "5 ") {
			t.Errorf("rows differ (-written +loaded):\n%s", diff)
		}
	})
}

// TestLimit cuts what a large table takes, and says so.
func TestLimit(t *testing.T) {
	t.Parallel()
	for _, tool := range []bool{false, true} {
		t.Run(map[bool]string{false: "list", true: "pg_dump"}[tool], func(t *testing.T) {
			t.Parallel()
			m := mustMake(t, "CREATE TABLE t (id int, v text)", tool)
			s := m.mustClone(t, "cell")
			mustExec(t, m.mustConnect(t, s), "INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 5000) i")
			const cut = "\n-- Cut here, after 40000 bytes.\n"
			got := mustWrite(t, s, 40000)
			if len(got) != 40000+len(cut) || !strings.HasSuffix(got, cut) || !strings.Contains(got, "COPY public.t (id, v) FROM stdin;\n1\txxx") {
				t.Errorf("%d bytes, from %.100q to %q; want 40000 of the table and %q", len(got), got, got[max(0, len(got)-60):], cut)
			}
			if whole := mustWrite(t, s, 20<<20); strings.Contains(whole, "-- Cut here") || strings.Count(whole, "xxx\n") != 5000 {
				t.Errorf("%d rows without a cut, want 5000", strings.Count(whole, "xxx\n"))
			}
		})
	}
}

// TestOpenSessions writes what was committed while the test's sessions are open, one of which keeps pg_dump from a table.
func TestOpenSessions(t *testing.T) {
	t.Parallel()
	m := mustMake(t, "CREATE TABLE t (v text)", true)
	s := m.mustClone(t, "cell")
	conn := m.mustConnect(t, s)
	mustExec(t, conn, "INSERT INTO t VALUES ('committed')", "BEGIN", "INSERT INTO t VALUES ('open')")
	if got := mustWrite(t, s, 1<<20); !strings.Contains(got, "\ncommitted\n\\.\n") || strings.Contains(got, "What the test has changed") {
		t.Errorf("pg_dump wrote %s", got)
	}
	mustExec(t, conn, "LOCK t")
	got := mustWrite(t, s, 1<<20)
	if !strings.HasPrefix(got, "-- pg_dump: ") || !strings.Contains(got, "\n-- What the test has changed:\n") || !strings.Contains(got, "\ncommitted\n\\.\n") {
		t.Errorf("with a table locked it wrote %s", got)
	}
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the session with the lock goes on")
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	m := mustMake(t, "CREATE TABLE t ()", false)
	s := &dump.Source{Server: m.server, Name: "nowhere", Database: &renew.Database{}}
	err := s.Write(t.Context(), &strings.Builder{}, 1<<20)
	if err == nil || !strings.HasPrefix(err.Error(), "dump cell nowhere: ") || !strings.Contains(err.Error(), `database "nowhere" does not exist`) {
		t.Errorf("Write = %v, want it to name the database", err)
	}
}
