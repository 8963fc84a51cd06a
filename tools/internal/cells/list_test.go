package cells_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestDumpWithoutPgDump has a package that comes without pg_dump: what a test has changed is listed, and that alone,
// though its session is still open, and other tests used the cell before.
func TestDumpWithoutPgDump(t *testing.T) {
	t.Parallel()
	const template = `
CREATE TABLE parent (id int, name text, twice int GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE child (id int);
CREATE TABLE country (code text); INSERT INTO country VALUES ('de'), ('fr');`
	c := mustOpenWith(t, template, func(c *cells.Config) {
		c.Ahead, c.Recycle, c.Install.BinDir = cells.AheadOff, cells.Auto, mustOmit(t, c.Install.BinDir, "pg_dump")
	})
	for range 2 {
		l := mustTake(t, c)
		mustRun(t, l, "INSERT INTO parent (id) VALUES (7); INSERT INTO child VALUES (8)")
		if err := l.Return(); err != nil {
			t.Fatal(err)
		}
	}
	l := mustTake(t, c)
	defer l.Return()
	if l.Made() != "recycled" {
		t.Errorf("the cell is %s, want one that was recycled", l.Made())
	}
	for _, sql := range []string{
		"INSERT INTO parent (id, name) VALUES (1, 'a\tb')", "DELETE FROM country WHERE code = 'fr'",
		`CREATE TABLE "More" AS SELECT 42 AS "the answer", 'x'::text AS b`, "CREATE TABLE public.blank ()",
		"CREATE TYPE mood AS ENUM ('sad')", "CREATE VIEW moods AS SELECT 'sad'::mood AS m", "CREATE INDEX by_name ON parent (name)",
		"CREATE EXTENSION IF NOT EXISTS citext",
	} {
		mustRun(t, l, sql)
	}
	var out strings.Builder
	if err := l.Dump(t.Context(), &out, 1<<20); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(out.String(), "\n") // which says that there is no pg_dump
	const want = `-- What the test has changed:
-- New extension citext
-- New index public.by_name
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
}

// mustOmit gives a bin directory with the programs of another, but for one.
func mustOmit(t testing.TB, bin, program string) string {
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
