package cells_test

import (
	"fmt"
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
