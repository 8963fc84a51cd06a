package ddl_test

import (
	"testing"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// A simple view takes INSERT, UPDATE and DELETE itself; WITH CHECK OPTION refuses rows that it would not show.
func TestUpdatableView(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE orders (id int, status text DEFAULT 'open', n int);
		CREATE VIEW open_orders AS SELECT id, status, n FROM orders WHERE status = 'open' WITH CHECK OPTION`)
	check.Exec(t, db, `INSERT INTO open_orders (id, n) VALUES (1, 5), (2, 6)`)
	check.Value(t, db, int64(1),
		`WITH done AS (UPDATE open_orders SET n = n + 1 WHERE id = 1 RETURNING 1) SELECT count(*) FROM done`)
	check.Fails(t, db, "44000", `UPDATE open_orders SET status = 'closed'`)
	check.Exec(t, db, `UPDATE orders SET status = 'closed' WHERE id = 2; DELETE FROM open_orders`)
	check.Values(t, db, []int{2}, `SELECT id FROM orders`)
}

// A view over a join is not updatable by itself: an INSTEAD OF trigger says what a write means.
func TestInsteadOfTrigger(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE users (id serial PRIMARY KEY, name text UNIQUE);
		CREATE TABLE orders (user_id int, item text);
		CREATE VIEW user_orders AS SELECT name, item FROM users JOIN orders ON user_id = id`)
	check.Fails(t, db, "55000", `INSERT INTO user_orders VALUES ('ann', 'pen')`)
	check.Exec(t, db, `CREATE FUNCTION place() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			INSERT INTO users (name) VALUES (NEW.name) ON CONFLICT DO NOTHING;
			INSERT INTO orders SELECT id, NEW.item FROM users WHERE name = NEW.name;
			RETURN NEW;
		END $$;
		CREATE TRIGGER place INSTEAD OF INSERT ON user_orders FOR EACH ROW EXECUTE FUNCTION place()`)
	check.Exec(t, db, `INSERT INTO user_orders VALUES ('ann', 'pen'), ('ann', 'ink')`)
	check.Values(t, db, []string{"ann ink", "ann pen"}, `SELECT name || ' ' || item FROM user_orders ORDER BY 1`)
}

// CREATE OR REPLACE VIEW may add columns at the end, not change or drop one: others may read them.
func TestReplaceView(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE VIEW items AS SELECT 1 AS id`)
	check.Exec(t, db, `CREATE OR REPLACE VIEW items AS SELECT 2 AS id, 'pen' AS name`)
	check.Value(t, db, "pen", `SELECT name FROM items WHERE id = 2`)
	check.Fails(t, db, "42P16", `CREATE OR REPLACE VIEW items AS SELECT 'x'::text AS id, 'pen' AS name`)
	check.Fails(t, db, "42P16", `CREATE OR REPLACE VIEW items AS SELECT 2 AS id`)
	check.Exec(t, db, `ALTER VIEW items RENAME COLUMN name TO title; ALTER VIEW items RENAME TO goods`)
	check.Value(t, db, "pen", `SELECT title FROM goods`)
}

// A recursive view walks a tree.
func TestRecursiveView(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int, parent int, name text);
		INSERT INTO items VALUES (1, NULL, 'all'), (2, 1, 'office'), (3, 2, 'pens'), (4, 1, 'food');
		CREATE RECURSIVE VIEW paths (id, path) AS
			SELECT id, name FROM items WHERE parent IS NULL
			UNION ALL SELECT i.id, p.path || '/' || i.name FROM items i JOIN paths p ON i.parent = p.id`)
	check.Values(t, db, []string{"all", "all/office", "all/office/pens", "all/food"},
		`SELECT path FROM paths ORDER BY id`)
}

// A materialized view keeps its rows until it is refreshed; CONCURRENTLY wants a unique index and locks out no
// reader.
func TestMaterializedView(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE orders (item text, n int); INSERT INTO orders VALUES ('pen', 2), ('pen', 3);
		CREATE MATERIALIZED VIEW totals AS SELECT item, sum(n) AS n FROM orders GROUP BY item`)
	check.Exec(t, db, `INSERT INTO orders VALUES ('ink', 1)`)
	check.Values(t, db, []string{"pen"}, `SELECT item FROM totals`)
	check.Fails(t, db, "55000", `REFRESH MATERIALIZED VIEW CONCURRENTLY totals`)
	check.Exec(t, db, `CREATE UNIQUE INDEX ON totals (item)`)
	check.Exec(t, db, `REFRESH MATERIALIZED VIEW CONCURRENTLY totals`)
	check.Values(t, db, []string{"ink", "pen"}, `SELECT item FROM totals ORDER BY item`)
	check.Fails(t, db, "42809", `INSERT INTO totals VALUES ('x', 1)`)
}

// WITH NO DATA makes a materialized view that cannot be read before its first refresh.
func TestMaterializedViewWithNoData(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE MATERIALIZED VIEW totals AS SELECT 1 AS n WITH NO DATA`)
	check.Fails(t, db, "55000", `SELECT n FROM totals`)
	check.Exec(t, db, `REFRESH MATERIALIZED VIEW totals`)
	check.Value(t, db, 1, `SELECT n FROM totals`)
}

// A rule rewrites a statement before it runs: here a DELETE becomes an UPDATE, and an INSERT is logged beside.
func TestRules(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int, deleted bool DEFAULT false); CREATE TABLE log (what text);
		CREATE RULE keep AS ON DELETE TO items DO INSTEAD UPDATE items SET deleted = true WHERE id = OLD.id;
		CREATE RULE note AS ON INSERT TO items DO ALSO INSERT INTO log VALUES ('item ' || NEW.id)`)
	check.Exec(t, db, `INSERT INTO items VALUES (1), (2)`)
	check.Equal(t, "rows that DELETE reports", check.Exec(t, db, `DELETE FROM items WHERE id = 1`), 0)
	check.Values(t, db, []bool{true, false}, `SELECT deleted FROM items ORDER BY id`)
	check.Values(t, db, []string{"item 1", "item 2"}, `SELECT what FROM log ORDER BY 1`)
	check.Exec(t, db, `DROP RULE keep ON items; DELETE FROM items`)
	check.Value(t, db, 0, `SELECT count(*) FROM items`)
}
