package cells_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestSeededTableIsAsInAFreshClone has tests add rows to tables that have rows in the template: each finds them at the
// very places, and planned in the very way, in which a new clone has them, whatever the tests before put there.
func TestSeededTableIsAsInAFreshClone(t *testing.T) {
	t.Parallel()
	const template = `
CREATE TABLE holes (id int PRIMARY KEY, v text);
INSERT INTO holes SELECT i, 'v' || i FROM generate_series(1, 60) i;
DELETE FROM holes WHERE id % 3 = 0;
CREATE TABLE filled (id int, v text);
INSERT INTO filled SELECT i, repeat('x', 200) FROM generate_series(1, 32) i;
CREATE INDEX ON filled (id);
CREATE TABLE tokens (id serial PRIMARY KEY, hole int REFERENCES holes)`
	recycled := mustOpenWith(t, template, func(c *cells.Config) { c.Recycle, c.Ahead = cells.Auto, cells.AheadOff })
	cloned := mustOpenWith(t, template, func(c *cells.Config) { c.Recycle = cells.Never })
	made := map[string]int{}
	for n := range 80 {
		var seen [2]string
		for i, c := range []*cells.Cluster{cloned, recycled} {
			mustUse(t, c, func(l *cells.Lease) {
				seen[i] = mustSeeds(t, l, n)
				made[l.Made()]++
			})
		}
		if seen[0] != seen[1] {
			t.Fatalf("test %d sees other rows or plans than in a new clone (-clone +this):\n%s", n, cmp.Diff(seen[0], seen[1]))
		}
	}
	if made["recycled"] < 40 { // half update seeds, which cannot be put back
		t.Errorf("cells were %v, want most of a half recycled", made)
	}
}

// mustSeeds is the n-th test: it adds rows of ever other numbers and widths, and tells what it sees meanwhile.
func mustSeeds(t *testing.T, l *cells.Lease, n int) (seen string) {
	t.Helper()
	look := func() {
		for _, table := range []string{"holes", "filled"} {
			seen += mustText(t, l, "SELECT id || ' at ' || ctid FROM "+table)
			seen += mustText(t, l, "EXPLAIN SELECT * FROM tokens JOIN "+table+" x ON x.id = hole WHERE x.id > 5")
		}
	}
	width, rows := n*37%700, 1+n%7
	insert := fmt.Sprintf("SELECT i, repeat('y', %d) FROM generate_series(101, %d) i", width, 100+rows)
	look()
	mustRun(t, l, "BEGIN; INSERT INTO holes "+insert+"; ROLLBACK")
	mustRun(t, l, "INSERT INTO holes "+insert+"; INSERT INTO tokens (hole) SELECT id FROM holes")
	if n%2 == 0 {
		mustRun(t, l, "INSERT INTO filled "+insert)
	}
	if n%11 == 3 {
		mustRun(t, l, "VACUUM holes, filled")
	}
	look()
	mustRun(t, l, "DELETE FROM tokens; DELETE FROM holes WHERE id = 101; INSERT INTO holes VALUES (100, 'z')")
	if n%5 == 4 {
		mustRun(t, l, "UPDATE holes SET v = 'changed' WHERE id < 5")
	}
	if n%4 == 1 {
		mustRun(t, l, "UPDATE filled SET v = 'less' WHERE id % 3 = 1; DELETE FROM filled WHERE id = 7")
	}
	look()
	return seen
}
