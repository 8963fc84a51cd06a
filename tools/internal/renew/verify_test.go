package renew_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/facts"
	"github.com/pgcell/pgcell/tools/internal/renew"
)

// TestDifferences changes a database in one way after another, each of which the comparison with a clone names.
func TestDifferences(t *testing.T) {
	t.Parallel()
	admin, major := mustConnect(t, nil)
	mustExec(t, admin, "CREATE DATABASE sealed")
	in := func(name string) *pgx.ConnConfig {
		config := admin.Config().Copy()
		config.Database = name
		return config
	}
	fill, err := pgx.ConnectConfig(t.Context(), in("sealed"))
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, fill, `
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 3) i;
CREATE TABLE child (id int REFERENCES t);
CREATE SEQUENCE s;
CREATE INDEX part ON t (v) WHERE id > 2;
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'`)
	fill.Close(t.Context())
	clone := func(name string) *renew.Cleaner {
		mustExec(t, admin, "CREATE DATABASE "+name+" TEMPLATE sealed")
		c, err := renew.Connect(t.Context(), in(name), &renew.Template{Facts: &facts.Template{}, Major: major})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	reference, err := clone("reference").Reference(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	relation := []string{"pg_catalog.pg_attribute", "pg_catalog.pg_class", "pg_catalog.pg_depend"}
	for _, one := range []struct {
		sql  string
		want []string // begin what is named; none if nothing is
	}{
		{"SELECT", nil},
		{"BEGIN; INSERT INTO t VALUES (9); ROLLBACK; SELECT max(id) FROM t", nil},
		{"ANALYZE child", []string{"pg_catalog.pg_class"}}, // written in place
		{"INSERT INTO child VALUES (1)", []string{"public.child"}},
		{"UPDATE t SET v = v WHERE id = 2", []string{"public.t"}},
		{"SELECT nextval('s')", []string{"public.s"}},
		{"COMMENT ON FUNCTION one() IS 'x'", []string{"pg_catalog.pg_description"}},
		{"CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'", []string{"pg_catalog.pg_depend", "pg_catalog.pg_proc"}},
		{"GRANT SELECT ON t TO reader", []string{"pg_catalog.pg_class"}},
		{"CREATE TABLE more ()", append(relation, "pg_catalog.pg_type")},
		{"DROP SEQUENCE s", append(relation, "pg_catalog.pg_sequence")},
		{"UPDATE pg_class SET relpages = 7 WHERE oid = 'part'::regclass", []string{"pg_catalog.pg_class"}},
		{"VACUUM pg_proc", nil}, // which notes in pg_class what the planner does not read
		{"ALTER DATABASE used SET work_mem = '1MB'", []string{"parameters"}},
		{"ALTER DATABASE used CONNECTION LIMIT 5", []string{"database"}},
		{"COMMENT ON DATABASE used IS 'x'", []string{"database"}},
		{"INSERT INTO child SELECT 1 FROM generate_series(1, 5000)", []string{"plan of SELECT * FROM child", "public.child"}},
		{"SELECT lo_create(0)", []string{"pg_catalog.pg_largeobject_metadata"}},
	} {
		used := clone("used")
		conn, err := pgx.ConnectConfig(t.Context(), in("used"))
		if err != nil {
			t.Fatal(err)
		}
		for sql := range strings.SplitSeq(one.sql, "; ") {
			mustExec(t, conn, sql)
		}
		conn.Close(t.Context())
		got, err := used.Differences(t.Context(), reference)
		if err != nil {
			t.Fatalf("%s: %v", one.sql, err)
		}
		if !begin(got, one.want) {
			t.Errorf("after %s %q differ, want %q", one.sql, got, one.want)
		}
		used.Close()
		mustExec(t, admin, "DROP DATABASE used WITH (FORCE)")
	}
}

// begin reports whether each of texts begins with one of those wanted, and each of these begins one.
func begin(texts, wanted []string) bool {
	for _, text := range texts {
		if !slices.ContainsFunc(wanted, func(w string) bool { return strings.HasPrefix(text, w) }) {
			return false
		}
	}
	for _, w := range wanted {
		if !slices.ContainsFunc(texts, func(text string) bool { return strings.HasPrefix(text, w) }) {
			return false
		}
	}
	return true
}

func mustExec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
