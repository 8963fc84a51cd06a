package cells_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/golden"
)

// TestStrayDatabases has each of several tests, one after another, make databases of the same names and leave them.
func TestStrayDatabases(t *testing.T) {
	t.Parallel()
	c := mustOpenMade(t, golden.Recipe{Roles: []string{"pgcell CREATEDB"}}, func(c *cells.Config) { c.Recycle = cells.Auto })
	for range 3 {
		mustUse(t, c, func(l *cells.Lease) {
			beside := mustTake(t, c)
			mustExec(t, l.URL(), "CREATE DATABASE app", "CREATE DATABASE master IS_TEMPLATE true", "CREATE DATABASE copy TEMPLATE master")
			if err := beside.Return(); err != nil { // another test still has a cell
				t.Fatal(err)
			}
			if n := strays(t, c); n != 3 {
				t.Errorf("%d databases of the test, want 3", n)
			}
		})
		if n := strays(t, c); n != 0 {
			t.Errorf("%d databases are left, want none", n)
		}
	}
}

func strays(t *testing.T, c *cells.Cluster) (n int) {
	t.Helper()
	const find = "SELECT count(*) FROM pg_database WHERE datname IN ('app', 'master', 'copy')"
	if err := c.Admin().QueryRow(t.Context(), find).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
