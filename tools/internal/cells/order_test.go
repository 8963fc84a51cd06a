package cells_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestRowsStandAsInAFreshClone has tests that only insert be followed by ones that update too and read without ORDER BY:
// what the earlier ones' rows have left of a page must not decide where a new version of a row goes. Between two of the
// latter there are more of the former each time.
func TestRowsStandAsInAFreshClone(t *testing.T) {
	t.Parallel()
	for _, insert := range []string{"INSERT INTO t %s", "INSERT INTO t %s; DELETE FROM t", "BEGIN; INSERT INTO t %s; ROLLBACK"} {
		t.Run(insert, func(t *testing.T) {
			t.Parallel()
			c := mustOpenWith(t, "CREATE TABLE t (id int, pad text)", func(c *cells.Config) {
				c.Recycle, c.Ahead = cells.Auto, cells.AheadOff
			})
			for _, width := range []int{1500, 300, 40, 1} { // bytes a row; 8 kB is a page
				rows := fmt.Sprintf("SELECT i, repeat('x', %d) FROM generate_series(1, 4) AS i", width)
				for gap := range 25 {
					for range gap {
						mustUse(t, c, func(l *cells.Lease) { mustRun(t, l, fmt.Sprintf(insert, rows)) })
					}
					mustUse(t, c, func(l *cells.Lease) {
						mustRun(t, l, "INSERT INTO t "+rows+"; UPDATE t SET pad = pad WHERE id = 1")
						if got, want := fmt.Sprint(mustIDs(t, l)), "[2 3 4 1]"; got != want {
							t.Errorf("width %d, after %d tests, in a %s cell: rows come as %s, want %s", width, gap, l.Made(), got, want)
						}
					})
				}
			}
		})
	}
}

// TestOrderAfterOnesOfItsLike has tests of two kinds use cells in turn, and the second kind see what it sees in a clone,
// if not the first time, in which nobody knows yet what it does.
func TestOrderAfterOnesOfItsLike(t *testing.T) {
	t.Parallel()
	const many = "INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 40) i; UPDATE t SET pad = pad WHERE id < 3"
	const points = "INSERT INTO t SELECT i, 'x', point(i * %d %% %d, i * %d %% %d) FROM generate_series(1, %d) i"
	near := "SELECT string_agg(id::text, ' ') FROM (SELECT id FROM t ORDER BY p <-> point '(4,4)' LIMIT 8) AS near"
	const few = "INSERT INTO t SELECT i, repeat('z', 100) FROM generate_series(1, 5) i"
	const all = "SELECT string_agg(id::text, ' ') FROM t"
	for name, c := range map[string]struct{ template, first, second, end, sees string }{
		"rolled back":   {first: few, second: "BEGIN; " + many, end: "ROLLBACK", sees: all},
		"deleted":       {first: few, second: many, end: "DELETE FROM t", sees: all},
		"vacuumed":      {first: "INSERT INTO t VALUES (1), (2)", second: "INSERT INTO t VALUES (3), (4); VACUUM t; INSERT INTO t VALUES (5)", sees: all},
		"part of table": {template: "INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 40000) i", first: "SELECT 1 FROM t WHERE id = 20000 LIMIT 1", sees: "SELECT id::text FROM t LIMIT 1"},
		"gist":          {template: "CREATE INDEX ON t USING gist (p)", first: fmt.Sprintf(points, 37, 101, 53, 103, 5), second: fmt.Sprintf(points, 41, 9, 59, 7, 30), sees: near},
		"large gist":    {template: "CREATE INDEX ON t USING gist (p)", first: fmt.Sprintf(points, 37, 101, 53, 103, 900), second: fmt.Sprintf(points, 41, 9, 59, 7, 30), sees: near},
		"large spgist":  {template: "CREATE INDEX ON t USING spgist (p)", first: fmt.Sprintf(points, 37, 101, 53, 103, 900), second: fmt.Sprintf(points, 41, 9, 59, 7, 30), sees: near},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := mustOpenWith(t, "CREATE TABLE t (id int, pad text, p point);"+c.template, func(c *cells.Config) {
				c.Recycle, c.Ahead = cells.Auto, cells.AheadOff
			})
			want, recycled := "", 0
			for n := range 15 {
				mustUse(t, cluster, func(l *cells.Lease) {
					if l.Made() == "recycled" {
						recycled++
					}
					conn, err := l.Pool().Acquire(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Release()
					mustRunOn(t, conn.Conn(), c.second)
					var got string
					if err := conn.QueryRow(t.Context(), c.sees).Scan(&got); err != nil {
						t.Fatal(err)
					}
					mustRunOn(t, conn.Conn(), c.end)
					switch {
					case n == 0:
						want = got
					case n > 2 && got != want:
						t.Errorf("round %d, in a %s cell: rows come as %s, want %s", n, l.Made(), got, want)
					}
				})
				for range n % 13 {
					mustUse(t, cluster, func(l *cells.Lease) { mustRun(t, l, c.first) })
				}
			}
			if recycled == 0 && !strings.HasPrefix(name, "large ") {
				t.Error("no cell was recycled")
			}
		})
	}
}

// TestOrderInACellOfBefore has two cells hold dead rows when a test vacuums for the first time, in one of them. The next
// of its kind gets the other.
func TestOrderInACellOfBefore(t *testing.T) {
	t.Parallel()
	c := mustOpenWith(t, "CREATE TABLE t (id int)", func(c *cells.Config) { c.Recycle, c.Ahead = cells.Auto, cells.AheadOff })
	both := func(sql string) {
		t.Helper()
		one, other := mustTake(t, c), mustTake(t, c)
		mustRun(t, one, sql)
		mustRun(t, other, sql)
		for _, l := range []*cells.Lease{one, other} {
			if err := l.Return(); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Quiet(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	const vacuums = "INSERT INTO t VALUES (1), (2); VACUUM t; INSERT INTO t VALUES (3)"
	both("INSERT INTO t VALUES (7), (8)")
	both("INSERT INTO t VALUES (7), (8)")
	mustUse(t, c, func(l *cells.Lease) { mustRun(t, l, vacuums) })
	mustTake(t, c) // that one
	mustUse(t, c, func(l *cells.Lease) {
		mustRun(t, l, vacuums)
		if got, want := fmt.Sprint(mustIDs(t, l)), "[1 2 3]"; got != want || l.Made() != "recycled" {
			t.Errorf("in a %s cell rows come as %s, want %s in a recycled one", l.Made(), got, want)
		}
	})
}

// mustUse takes a cell, gives it back, and waits until it is ready again.
func mustUse(t *testing.T, c *cells.Cluster, use func(*cells.Lease)) {
	t.Helper()
	l := mustTake(t, c)
	use(l)
	if err := l.Return(); err != nil {
		t.Fatal(err)
	}
	if err := c.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func mustIDs(t *testing.T, l *cells.Lease) []int {
	t.Helper()
	rows, err := l.Pool().Query(t.Context(), "SELECT id FROM t")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	return ids
}
