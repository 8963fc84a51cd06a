package ddl_test

import (
	"testing"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// places counts the rows of a partitioned table by the partition that they lie in.
const places = `SELECT tableoid::regclass || ' ' || count(*) FROM orders GROUP BY tableoid ORDER BY 1`

// Partitions by range take a row by its key; a key outside of all is an error, until there is a default partition.
func TestPartitionByRange(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE orders (day date, n int) PARTITION BY RANGE (day);
		CREATE TABLE orders_2023 PARTITION OF orders FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
		CREATE TABLE orders_2024 PARTITION OF orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')`)
	check.Exec(t, db, `INSERT INTO orders VALUES ('2023-12-31', 1), ('2024-01-01', 2), ('2024-12-31', 3)`)
	check.Values(t, db, []string{"orders_2023 1", "orders_2024 2"}, places)
	check.Fails(t, db, "23514", `INSERT INTO orders VALUES ('2025-01-01', 4)`)
	check.Exec(t, db,
		`CREATE TABLE orders_rest PARTITION OF orders DEFAULT; INSERT INTO orders VALUES ('2025-01-01', 4)`)
	check.Values(t, db, []string{"orders_2023 1", "orders_2024 2", "orders_rest 1"}, places)
	check.Fails(t, db, "42P17",
		`CREATE TABLE overlap PARTITION OF orders FOR VALUES FROM ('2024-06-01') TO ('2024-07-01')`)
}

// An UPDATE of the key moves a row to another partition.
func TestPartitionByListMovesRows(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE orders (status text, n int) PARTITION BY LIST (status);
		CREATE TABLE orders_live PARTITION OF orders FOR VALUES IN ('new', 'paid');
		CREATE TABLE orders_done PARTITION OF orders FOR VALUES IN ('done', NULL)`)
	check.Exec(t, db, `INSERT INTO orders VALUES ('new', 1), ('paid', 2), (NULL, 3)`)
	check.Values(t, db, []string{"orders_done 1", "orders_live 2"}, places)
	check.Exec(t, db, `UPDATE orders SET status = 'done' WHERE n = 2`)
	check.Values(t, db, []string{"orders_done 2", "orders_live 1"}, places)
}

// Partitions by hash spread the rows over a fixed number of parts.
func TestPartitionByHash(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE orders (id int PRIMARY KEY) PARTITION BY HASH (id);
		CREATE TABLE orders_0 PARTITION OF orders FOR VALUES WITH (MODULUS 3, REMAINDER 0);
		CREATE TABLE orders_1 PARTITION OF orders FOR VALUES WITH (MODULUS 3, REMAINDER 1);
		CREATE TABLE orders_2 PARTITION OF orders FOR VALUES WITH (MODULUS 3, REMAINDER 2);
		INSERT INTO orders SELECT generate_series(1, 3000)`)
	for _, n := range check.Column[int](t, db, `SELECT count(*) FROM orders GROUP BY tableoid`) {
		if n < 800 || n > 1200 {
			t.Errorf("rows in one of three partitions: got %d of 3000, want about 1000", n)
		}
	}
	check.Fails(t, db, "23505", `INSERT INTO orders VALUES (1)`)
}

// ATTACH takes a table in as a partition once its rows fit; DETACH makes a partition a table of its own.
func TestAttachAndDetachPartition(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE orders (day date, n int) PARTITION BY RANGE (day);
		CREATE TABLE loaded (day date, n int); INSERT INTO loaded VALUES ('2024-03-01', 1), ('2025-03-01', 2)`)
	attach := `ALTER TABLE orders ATTACH PARTITION loaded FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')`
	check.Fails(t, db, "23514", attach)
	check.Exec(t, db, `DELETE FROM loaded WHERE n = 2`)
	check.Exec(t, db, attach)
	check.Value(t, db, 1, `SELECT n FROM orders`)
	check.Exec(t, db, `ALTER TABLE orders DETACH PARTITION loaded CONCURRENTLY`)
	check.Value(t, db, 0, `SELECT count(*) FROM orders`)
	check.Value(t, db, 1, `SELECT count(*) FROM loaded`)
}

// An index, a key and a trigger on the parent are made on each partition, present and future.
func TestPartitionsInheritIndexes(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE orders (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
		CREATE INDEX ON orders (day);
		CREATE TABLE orders_a PARTITION OF orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')`)
	check.Values(t, db, []string{"orders_a_day_idx", "orders_a_pkey"},
		`SELECT indexname::text FROM pg_indexes WHERE tablename = 'orders_a' ORDER BY 1`)
	check.Fails(t, db, "0A000", `ALTER TABLE orders ADD UNIQUE (id)`) // a unique key must hold the partition's key
}

// The planner reads the partitions alone that a condition can meet.
func TestPartitionPruning(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE orders (day date) PARTITION BY RANGE (day);
		CREATE TABLE orders_2023 PARTITION OF orders FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')
			PARTITION BY RANGE (day);
		CREATE TABLE orders_2023_h1 PARTITION OF orders_2023 FOR VALUES FROM ('2023-01-01') TO ('2023-07-01');
		CREATE TABLE orders_2023_h2 PARTITION OF orders_2023 FOR VALUES FROM ('2023-07-01') TO ('2024-01-01');
		CREATE TABLE orders_2024 PARTITION OF orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')`)
	check.Value(t, db, "orders_2023_h2",
		`SELECT relid::text FROM pg_partition_tree('orders') WHERE relid::text LIKE '%h2'`)
	type plan []struct {
		Plan struct {
			Relation string `json:"Relation Name"`
		}
	}
	got := check.One[plan](t, db, `EXPLAIN (FORMAT json) SELECT * FROM orders WHERE day = '2023-12-24'`)
	check.Equal(t, "table that is read", got[0].Plan.Relation, "orders_2023_h2")
}
