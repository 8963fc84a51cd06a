package bulk_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// A batch sends many statements at once and reads their results in order: one round trip in place of many.
func TestBatch(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int PRIMARY KEY, name text)`)
	var batch pgx.Batch
	var names []string
	for i := range 100 {
		batch.Queue(`INSERT INTO items VALUES ($1, $2)`, i, fmt.Sprint("item ", i))
	}
	batch.Queue(`SELECT name FROM items WHERE id >= $1 ORDER BY id`, 98).Query(func(rows pgx.Rows) (err error) {
		names, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err := db.SendBatch(t.Context(), &batch).Close(); err != nil {
		t.Fatalf("batch: got error %v, want none", err)
	}
	check.Equal(t, "names", names, []string{"item 98", "item 99"})
}

// A batch outside of a transaction is one of its own: when a statement fails, those before it are undone, those
// after not run.
func TestBatchFailsWhole(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int PRIMARY KEY)`)
	var batch pgx.Batch
	for _, id := range []int{1, 2, 1, 3} {
		batch.Queue(`INSERT INTO items VALUES ($1)`, id)
	}
	results := db.SendBatch(t.Context(), &batch)
	for i, wantCode := range []string{"", "", "23505"} {
		_, err := results.Exec()
		if wantCode == "" && err != nil {
			t.Errorf("statement %d: got error %v, want none", i, err)
		}
		if wantCode != "" {
			check.Code(t, fmt.Sprint("statement ", i), err, wantCode)
		}
	}
	check.Code(t, "close", results.Close(), "23505")
	check.Value(t, db, 0, `SELECT count(*) FROM items`)
}

// Pipeline mode lets a program put syncs where it wants them: between two, all goes through or nothing.
func TestPipeline(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TABLE items (id int PRIMARY KEY)`)
	pipeline := conn.PgConn().StartPipeline(t.Context())
	insert := func(id string) {
		pipeline.SendQueryParams(`INSERT INTO items VALUES ($1)`, [][]byte{[]byte(id)}, nil, nil, nil)
	}
	insert("1")
	insert("2")
	if err := pipeline.Sync(); err != nil {
		t.Fatalf("sync: got error %v, want none", err)
	}
	insert("3")
	insert("1") // a duplicate: 3 goes too
	if err := pipeline.Sync(); err != nil {
		t.Fatalf("sync: got error %v, want none", err)
	}
	check.Code(t, "pipeline", pipeline.Close(), "23505")
	check.Values(t, conn, []int{1, 2}, `SELECT id FROM items ORDER BY id`)
}

// unnest turns one array a column into rows: one prepared statement inserts any number of them.
func TestInsertUnnest(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int GENERATED ALWAYS AS IDENTITY, name text, price int)`)
	var names []string
	var prices []*int
	for i := range 1000 {
		names = append(names, fmt.Sprint("item ", i))
		prices = append(prices, &i)
	}
	prices[7] = nil
	n := check.Exec(t, db, `INSERT INTO items (name, price) SELECT * FROM unnest($1::text[], $2::int[])`, names,
		prices)
	check.Equal(t, "rows inserted", n, 1000)
	check.Values(t, db, []string{"item 7"}, `SELECT name FROM items WHERE price IS NULL`)
	check.Value(t, db, 0, `SELECT count(*) FROM items WHERE name <> 'item ' || price`)
}

// ON CONFLICT DO NOTHING leaves out what is there; DO UPDATE overwrites it, and xmax tells the one from the other.
func TestUpsert(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (sku text PRIMARY KEY, n int); INSERT INTO items VALUES ('pen', 1)`)
	check.Equal(t, "inserted",
		check.Exec(t, db, `INSERT INTO items VALUES ('pen', 5), ('ink', 5) ON CONFLICT DO NOTHING`), 1)
	check.Values(t, db, []string{"ink 15 updated", "nib 10 inserted", "pen 11 updated"}, `
		WITH done AS (INSERT INTO items VALUES ('pen', 10), ('ink', 10), ('nib', 10)
			ON CONFLICT (sku) DO UPDATE SET n = items.n + EXCLUDED.n RETURNING *, xmax = 0 AS fresh)
		SELECT sku || ' ' || n || CASE WHEN fresh THEN ' inserted' ELSE ' updated' END FROM done ORDER BY sku`)
}

// One statement may not update a row twice; a WHERE on DO UPDATE leaves rows alone that need no change.
func TestUpsertEdges(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (sku text PRIMARY KEY, n int); INSERT INTO items VALUES ('pen', 1)`)
	check.Fails(t, db, "21000",
		`INSERT INTO items VALUES ('ink', 1), ('ink', 2) ON CONFLICT (sku) DO UPDATE SET n = EXCLUDED.n`)
	// no unique index on n
	check.Fails(t, db, "42P10", `INSERT INTO items VALUES ('pen', 1) ON CONFLICT (n) DO NOTHING`)
	check.Equal(t, "rows changed", check.Exec(t, db, `INSERT INTO items VALUES ('pen', 1)
		ON CONFLICT (sku) DO UPDATE SET n = EXCLUDED.n WHERE items.n <> EXCLUDED.n`), 0)
}

// MERGE (PostgreSQL 15) inserts, updates and deletes by one comparison with a source.
func TestMerge(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.NeedVersion(t, db, 15, "MERGE")
	check.Exec(t, db, `CREATE TABLE items (sku text PRIMARY KEY, n int);
		INSERT INTO items VALUES ('pen', 1), ('ink', 2), ('nib', 3)`)
	check.Exec(t, db, `MERGE INTO items i USING (VALUES ('pen', 10), ('ink', 0), ('cap', 7)) s (sku, n) ON i.sku = s.sku
		WHEN MATCHED AND s.n = 0 THEN DELETE
		WHEN MATCHED THEN UPDATE SET n = s.n
		WHEN NOT MATCHED THEN INSERT VALUES (s.sku, s.n)`)
	check.Values(t, db, []string{"cap 7", "nib 3", "pen 10"}, `SELECT sku || ' ' || n FROM items ORDER BY sku`)
}

// RETURNING gives what a statement did, ready for the next step of a WITH chain: rows move between tables in one
// statement.
func TestMoveRowsWithReturning(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE orders (id int, done bool); CREATE TABLE archive (id int);
		INSERT INTO orders SELECT n, n % 3 = 0 FROM generate_series(1, 9) n`)
	check.Values(t, db, []int{3, 6, 9}, `
		WITH gone AS (DELETE FROM orders WHERE done RETURNING id),
			kept AS (INSERT INTO archive SELECT id FROM gone RETURNING id)
		SELECT id FROM kept ORDER BY id`)
	check.Value(t, db, 6, `SELECT count(*) FROM orders`)
}

// UPDATE ... FROM and DELETE ... USING change many rows by the help of another table.
func TestUpdateFromDeleteUsing(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int, price int); INSERT INTO items VALUES (1, 10), (2, 20), (3, 30);
		CREATE TABLE changes (id int, price int); INSERT INTO changes VALUES (1, 11), (3, NULL)`)
	check.Exec(t, db, `UPDATE items i SET price = c.price FROM changes c WHERE c.id = i.id AND c.price IS NOT NULL;
		DELETE FROM items i USING changes c WHERE c.id = i.id AND c.price IS NULL`)
	check.Values(t, db, []string{"1 11", "2 20"}, `SELECT id || ' ' || price FROM items ORDER BY id`)
}

// A prepared statement is parsed once; it ends with DEALLOCATE, and its error names it then.
func TestPreparedStatement(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TABLE items (id int)`)
	if _, err := conn.Prepare(t.Context(), "add", `INSERT INTO items VALUES ($1)`); err != nil {
		t.Fatalf("prepare: got error %v, want none", err)
	}
	for i := range 20 {
		check.Exec(t, conn, "add", i)
	}
	check.Value(t, conn, 190, `SELECT sum(id) FROM items`)
	check.Value(t, conn, 1, `SELECT count(*) FROM pg_prepared_statements WHERE name = 'add'`)
	if err := conn.Deallocate(t.Context(), "add"); err != nil {
		t.Fatalf("deallocate: got error %v, want none", err)
	}
	check.Fails(t, conn, "26000", `EXECUTE add(1)`)
}

// A pool runs statements side by side, here 200 inserts of many goroutines over its few connections.
func TestConcurrentInserts(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int GENERATED ALWAYS AS IDENTITY, n int UNIQUE)`)
	errs := make(chan error, 200)
	for n := range 200 {
		go func() {
			_, err := db.Exec(t.Context(), `INSERT INTO items (n) VALUES ($1)`, n)
			errs <- err
		}()
	}
	var all []error
	for range 200 {
		all = append(all, <-errs)
	}
	if err := errors.Join(all...); err != nil {
		t.Fatalf("concurrent inserts: got error %v, want none", err)
	}
	check.Value(t, db, 200, `SELECT count(DISTINCT id) FROM items`)
}
