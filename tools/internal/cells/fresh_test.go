package cells_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// remains are what tests leave where the comparison with a clone does not see it, in a session or in pages: a template,
// what a test does, and what the next then looks at.
var remains = []struct {
	name, template string
	dirty, look    []string
}{
	{
		name: "a function's time zone, in the plan of another",
		template: `
CREATE FUNCTION day() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RETURN '2020-01-01 00:00'::timestamptz; END $$;
CREATE FUNCTION in_tokyo() RETURNS text LANGUAGE plpgsql SET TimeZone = 'Asia/Tokyo' AS $$ BEGIN RETURN day(); END $$`,
		dirty: []string{"SELECT in_tokyo()"},
		look:  []string{"SELECT day()::text"},
	},
	{
		name: "a function's search_path, in the types of another",
		template: `
SET check_function_bodies = off;
CREATE SCHEMA a; CREATE TABLE a.cfg AS SELECT 1 AS id, 'a' AS name;
CREATE SCHEMA b; CREATE TABLE b.cfg AS SELECT 'b' AS name, 2 AS id;
CREATE FUNCTION cfg() RETURNS text LANGUAGE plpgsql AS $$ DECLARE r cfg; BEGIN SELECT * INTO r FROM cfg; RETURN r.id || r.name; END $$;
CREATE FUNCTION in_a() RETURNS text LANGUAGE plpgsql SET search_path = a, public AS $$ BEGIN RETURN cfg(); END $$;
CREATE FUNCTION in_b() RETURNS text LANGUAGE plpgsql SET search_path = b, public AS $$ BEGIN RETURN cfg(); END $$`,
		dirty: []string{"SELECT in_a()"},
		look:  []string{"SELECT in_b()"},
	},
	{
		name:     "a range up to now, in a plan",
		template: "CREATE TABLE event (n int, at timestamptz DEFAULT now())",
		dirty:    []string{nowRange},
		look:     []string{"INSERT INTO event VALUES (1)", nowRange},
	},
	{
		name:     "what a function executed that was given to it",
		template: "CREATE FUNCTION run(query text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE query; END $$",
		dirty:    []string{"SELECT run('SET TimeZone = ''Asia/Tokyo''')::text", midnight},
		look:     []string{midnight},
	},
	{
		name: "a function's result, in a domain",
		template: top + `
CREATE DOMAIN capped AS int CHECK (VALUE < top());
CREATE TABLE d (n capped)`,
		dirty: []string{"INSERT INTO t VALUES (100)", "INSERT INTO d VALUES (50)"},
		look:  []string{"INSERT INTO t VALUES (200)", "INSERT INTO d VALUES (150) RETURNING n"},
	},
	{
		name: "a function's result, in an index",
		template: top + `
CREATE TABLE d (n int, tenant int);
CREATE UNIQUE INDEX ON d (n) WHERE tenant = top()`,
		dirty: []string{"INSERT INTO t VALUES (1)", "INSERT INTO d VALUES (1, 1)"},
		look:  []string{"INSERT INTO t VALUES (2)", "INSERT INTO d VALUES (1, 1), (1, 1) RETURNING n"},
	},
	{
		name:     "the shape of a hash index",
		template: "CREATE TABLE t (id int, k text); CREATE INDEX ON t USING hash (k)",
		dirty:    []string{"INSERT INTO t SELECT i, i::text FROM generate_series(1, 5000) i"},
		look: []string{
			"INSERT INTO t SELECT i, CASE WHEN i % 2 = 0 THEN 'a' ELSE i::text END FROM generate_series(1, 2000) i",
			"SELECT id FROM t WHERE k = 'a' LIMIT 1",
		},
	},
	{
		name:     "the page of an emptied table, in what ANALYZE notes",
		template: "CREATE TABLE t (id int, v text); CREATE TABLE u (id int, v text)",
		dirty:    []string{"INSERT INTO t VALUES (1), (2)", "INSERT INTO u VALUES (1), (2)"},
		look:     []string{"ANALYZE t", "ANALYZE u", fill, "INSERT INTO u SELECT * FROM t", "EXPLAIN (COSTS OFF) " + join, join},
	},
	{
		name: "the page of an emptied table that has heirs",
		template: "CREATE TABLE t (id int, v text); CREATE TABLE heir_t () INHERITS (t);" +
			" CREATE TABLE u (id int, v text); CREATE TABLE heir_u () INHERITS (u)",
		dirty: []string{"INSERT INTO t VALUES (1), (2)", "INSERT INTO u VALUES (1), (2)"},
		look:  []string{"EXPLAIN " + join},
	},
	{
		name:     "the size of a GIN index",
		template: "CREATE TABLE t (id int, k int[]); CREATE INDEX ON t USING gin (k)",
		dirty:    []string{"INSERT INTO t SELECT i, (SELECT array_agg(i * 20 + j) FROM generate_series(1, 20) j) FROM generate_series(1, 1200) i"},
		look: []string{
			"INSERT INTO t SELECT i, array[i, i + 1, i + 2] FROM generate_series(1, 5) i",
			"EXPLAIN SELECT id FROM t WHERE k @> '{3}'", "EXPLAIN SELECT id FROM t WHERE k && '{3,4,5}'",
		},
	},
}

const (
	fill = "INSERT INTO t SELECT i, 'v' || i FROM generate_series(400, 1, -1) i"
	join = "SELECT t.id FROM t JOIN u ON u.id = t.id LIMIT 10"
)

const top = `
CREATE TABLE t (n int);
CREATE FUNCTION top() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT max(n) FROM public.t); END $$;`

const midnight = "SELECT '2020-01-01 00:00'::timestamptz AT TIME ZONE 'UTC' = '2020-01-01'::timestamp"

const nowRange = "SELECT count(*) FROM event WHERE at <@ tstzrange '[2020-01-01T00:00:00Z,now]'"

// TestNothingRemains has a test look for what another has left, and compares that with what it sees in a new clone.
func TestNothingRemains(t *testing.T) {
	t.Parallel()
	for _, r := range remains {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			c := mustOpenWith(t, r.template, func(c *cells.Config) { c.Recycle, c.Ahead = cells.Auto, cells.AheadOff })
			mustUse(t, c, func(l *cells.Lease) { seen(t, l, r.dirty) })
			mustUse(t, c, func(l *cells.Lease) {
				got := seen(t, l, r.look)
				fresh, err := c.Take(t.Context(), cells.Request{Test: t.Name(), New: true})
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(seen(t, fresh, r.look), got); d != "" {
					t.Errorf("in a %s cell a test sees (-new clone +this):\n%s", l.Made(), d)
				}
				if err := fresh.Return(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestSmallRowsInGIN has cells recycled with an index of jsonb, as long as tests put a few rows into it.
func TestSmallRowsInGIN(t *testing.T) {
	t.Parallel()
	c := mustOpenWith(t, "CREATE TABLE t (id int, v jsonb); CREATE INDEX ON t USING gin (v)",
		func(c *cells.Config) { c.Ahead = cells.AheadOff })
	for n := range 30 {
		mustUse(t, c, func(l *cells.Lease) {
			if n > 0 && l.Made() != "recycled" {
				t.Errorf("cell %d is %s, want a recycled one", n, l.Made())
			}
			mustRun(t, l, "INSERT INTO t SELECT i, jsonb_build_object('id', gen_random_uuid(), 'n', i) FROM generate_series(1, 10) i")
		})
	}
}

// TestVirtualColumn has a cell recycled though the value of a virtual column cannot be computed.
func TestVirtualColumn(t *testing.T) {
	t.Parallel()
	if major := mustInstall(t).Version.Major; major < 18 {
		t.Skipf("PostgreSQL %d has no virtual columns", major)
	}
	c := mustOpenWith(t, `CREATE TABLE t (a int, "b c" int, q int GENERATED ALWAYS AS (a / "b c") VIRTUAL)`, nil)
	mustUse(t, c, func(l *cells.Lease) { mustRun(t, l, "INSERT INTO t VALUES (1, 0)") })
	mustUse(t, c, func(l *cells.Lease) {
		if l.Made() != "recycled" {
			t.Errorf("the next cell is %s, want a recycled one", l.Made())
		}
	})
}

// seen gives what statements give, errors included.
func seen(t *testing.T, l *cells.Lease, statements []string) (all []string) {
	t.Helper()
	for _, sql := range statements {
		rows, err := l.Pool().Query(t.Context(), sql)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values, err := rows.Values()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, fmt.Sprint(values...))
		}
		if err := rows.Err(); err != nil {
			all = append(all, err.Error())
		}
	}
	return all
}
