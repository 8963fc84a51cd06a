package golden_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// TestEmptyTablesWereNeverVacuumed has the planner see an empty table as migrations left it, unless they vacuumed it
// themselves, and one with rows by its statistics.
func TestEmptyTablesWereNeverVacuumed(t *testing.T) {
	t.Parallel()
	path := mustBuild(t, golden.Recipe{Migrations: []golden.Script{{Name: "x.sql", SQL: `
CREATE TABLE empty (id int PRIMARY KEY, done bool);
CREATE INDEX part ON empty (id) WHERE done;
CREATE TABLE emptied (id int); INSERT INTO emptied VALUES (1); DELETE FROM emptied;
CREATE TABLE seeded (id int); INSERT INTO seeded VALUES (1), (2);
CREATE TABLE vacuumed (id int); VACUUM vacuumed;
CREATE TABLE parts (id int) PARTITION BY LIST (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1)`}}})
	s := mustServe(t, path)
	m, err := golden.ReadManifest(path)
	if err != nil {
		t.Fatal(err)
	}
	admin := s.URL("postgres", "postgres")
	conn, err := pgx.Connect(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), "ALTER DATABASE "+m.Template+" ALLOW_CONNECTIONS true"); err != nil {
		t.Fatal(err)
	}
	template := s.URL("postgres", m.Template)
	got, err := query(t, template, `SELECT string_agg(relname || ' ' || relpages || ' ' || reltuples, ', ' ORDER BY relname)
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`)
	want := "emptied 0 -1, empty 0 -1, parts_1 0 -1, seeded 1 2, vacuumed 0 0"
	if err != nil || got != want {
		t.Errorf("pages and rows = %s, %v, want %s", got, err, want)
	}
	names := map[string][]string{}
	for _, table := range m.Facts.Tables {
		for _, c := range table.Classes {
			name, err := query(t, template, "SELECT format('%s %s %s', relname, relpages, reltuples) FROM pg_class"+
				" WHERE oid = "+fmt.Sprint(c.OID)+" AND (ctid::text::point)[0] = "+fmt.Sprint(c.Block))
			if err != nil {
				t.Errorf("%s: no row of pg_class is where %+v says: %v", table.Name, c, err)
			}
			names[table.Name] = append(names[table.Name], name)
		}
	}
	facts := map[string][]string{
		"public.empty": {"empty 0 -1", "part 1 0"}, "public.emptied": {"emptied 0 -1"},
		"public.vacuumed": {"vacuumed 0 0"}, "public.parts_1": {"parts_1 0 -1"},
	}
	if d := cmp.Diff(facts, names); d != "" {
		t.Errorf("classes of tables that can be emptied (-want +got):\n%s", d)
	}
}
