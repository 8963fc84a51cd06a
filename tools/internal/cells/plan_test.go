package cells_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestPlansAsInAFreshClone has the planner find tables as migrations left them, however often they were filled and
// vacuumed: another plan for a join is another order of its rows.
func TestPlansAsInAFreshClone(t *testing.T) {
	t.Parallel()
	c := mustOpenWith(t, `
CREATE TABLE users (id int PRIMARY KEY, name text, mail text);
CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users, total int, done bool);
CREATE INDEX ON orders (user_id);
CREATE INDEX paid ON orders (total) WHERE done;
CREATE VIEW buyers AS SELECT name, total FROM users JOIN orders ON user_id = users.id;
CREATE TABLE last (id int)`, func(c *cells.Config) { c.Recycle, c.Ahead = cells.Auto, cells.AheadOff })
	var want string
	for n := range 60 { // 5 or so vacuums of each table
		mustUse(t, c, func(l *cells.Lease) {
			catalog := "SELECT relname::text FROM pg_class" // in the order in which they lie
			got := mustPlans(t, l) + mustText(t, l, catalog)
			mustRun(t, l, "INSERT INTO users SELECT i, 'name ' || i, 'mail' FROM generate_series(1, 10) i")
			got += mustPlans(t, l) + mustText(t, l, "SELECT u.id::text FROM users u LEFT JOIN orders o ON o.user_id = u.id")
			mustRun(t, l, "INSERT INTO orders SELECT i, i, i, true FROM generate_series(1, 3) i")
			got += mustPlans(t, l, "SELECT * FROM orders WHERE done AND total > 3") + mustText(t, l, catalog)
			if n%3 == 1 {
				mustRun(t, l, fmt.Sprintf("INSERT INTO orders SELECT i + 100, 1, i, i > 5 FROM generate_series(1, %d) i", n))
			}
			if n%10 == 5 {
				mustRun(t, l, "VACUUM users; UPDATE orders SET total = 0")
			}
			if n%10 == 7 {
				mustRun(t, l, "VACUUM; ANALYZE last")
			}
			switch {
			case n == 0:
				want = got
			case l.Made() != "recycled":
				t.Errorf("test %d has a %s cell, want a recycled one", n, l.Made())
			case got != want:
				t.Fatalf("test %d sees other plans, or another order of tables, than the first (-first +this):\n%s",
					n, cmp.Diff(want, got))
			}
		})
	}
	if !strings.Contains(want, "Index Scan using users_pkey") || !strings.Contains(want, "rows=850") {
		t.Errorf("users is planned as a table that was vacuumed, want 10 pages of rows:\n%s", want)
	}
}

// mustPlans gives the plans of some queries, and of further ones.
func mustPlans(t *testing.T, l *cells.Lease, further ...string) string {
	t.Helper()
	var all []string
	for _, query := range append([]string{
		"SELECT * FROM users WHERE id = 3",
		"SELECT u.id FROM users u LEFT JOIN orders o ON o.user_id = u.id",
		"SELECT u.id FROM users u WHERE NOT EXISTS (SELECT FROM orders o WHERE o.user_id = u.id)",
		"SELECT name, count(*) FROM buyers GROUP BY name",
	}, further...) {
		all = append(all, query, mustText(t, l, "EXPLAIN "+query))
	}
	return strings.Join(all, "\n")
}

// mustText gives the only column of a query, a line a row.
func mustText(t *testing.T, l *cells.Lease, query string) string {
	t.Helper()
	rows, err := l.Pool().Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n") + "\n"
}
