package bulk_test

import (
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// largeObject makes a large object within tx, filled with data.
func largeObject(t *testing.T, tx pgx.Tx, data string) uint32 {
	t.Helper()
	objects := tx.LargeObjects()
	oid, err := objects.Create(t.Context(), 0)
	if err != nil {
		t.Fatalf("create large object: got error %v, want none", err)
	}
	object := mustOpen(t, tx, oid, pgx.LargeObjectModeWrite)
	if _, err := io.Copy(object, strings.NewReader(data)); err != nil {
		t.Fatalf("write large object: got error %v, want none", err)
	}
	return oid
}

func mustOpen(t *testing.T, tx pgx.Tx, oid uint32, mode pgx.LargeObjectMode) *pgx.LargeObject {
	t.Helper()
	objects := tx.LargeObjects()
	object, err := objects.Open(t.Context(), oid, mode)
	if err != nil {
		t.Fatalf("open large object %d: got error %v, want none", oid, err)
	}
	return object
}

// A large object is a file in the database: written and read piece by piece, with a place that can be moved.
func TestLargeObject(t *testing.T) {
	t.Parallel()
	tx := pgcell.Tx(t)
	want := strings.Repeat("0123456789", 20_000)
	oid := largeObject(t, tx, want)
	object := mustOpen(t, tx, oid, pgx.LargeObjectModeRead)
	if _, err := object.Seek(-5, io.SeekEnd); err != nil {
		t.Fatalf("seek: got error %v, want none", err)
	}
	tail, err := io.ReadAll(object)
	if err != nil {
		t.Fatalf("read: got error %v, want none", err)
	}
	check.Equal(t, "last bytes", string(tail), "56789")
	check.Value(t, tx, len(want), `SELECT length(lo_get($1))`, oid)
	sum := sha256.Sum256([]byte(want))
	check.Value(t, tx, sum[:], `SELECT sha256(lo_get($1))`, oid)
}

// Large objects take part in transactions; their descriptors end with them.
func TestLargeObjectRollback(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatalf("begin: got error %v, want none", err)
	}
	oid := largeObject(t, tx, "draft")
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatalf("rollback: got error %v, want none", err)
	}
	check.Fails(t, conn, "42704", `SELECT lo_get($1)`, oid)
}

// Truncated, written over in the middle, and unlinked: all by functions on the server as well.
func TestLargeObjectFunctions(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	oid := check.One[uint32](t, db, `SELECT lo_from_bytea(0, 'hello world')`)
	check.Exec(t, db, `SELECT lo_put($1, 6, 'W')`, oid)
	check.Value(t, db, "hello World", `SELECT convert_from(lo_get($1), 'UTF8')`, oid)
	check.Value(t, db, "World", `SELECT convert_from(lo_get($1, 6, 5), 'UTF8')`, oid)
	check.Value(t, db, 1, `SELECT lo_unlink($1)`, oid)
	check.Fails(t, db, "42704", `SELECT lo_get($1)`, oid)
}

// A row of many megabytes goes in and out unharmed.
func TestBigRow(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (body bytea)`)
	want := make([]byte, 8<<20)
	for i := range want {
		want[i] = byte(i * i >> 8)
	}
	check.Exec(t, db, `INSERT INTO items VALUES ($1)`, want)
	if got := check.One[[]byte](t, db, `SELECT body FROM items`); sha256.Sum256(got) != sha256.Sum256(want) {
		t.Errorf("body: got %d bytes with another sum, want the %d that were inserted", len(got), len(want))
	}
	check.Value(t, db, want[1<<20:1<<20+4], `SELECT substring(body FROM 1048577 FOR 4) FROM items`)
}

// A table may have 1600 columns and no more; a statement may have 65535 parameters and no more.
func TestLimitsOfColumnsAndParameters(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	column := func(n int) string { return strings.Repeat(", c int", n) }
	check.Fails(t, db, "42701", `CREATE TABLE items (id int`+column(2)+`)`) // the same name twice
	check.Exec(t, db, `DO $$ BEGIN EXECUTE 'CREATE TABLE items (' ||
		(SELECT string_agg('c' || n || ' int', ',') FROM generate_series(1, 1600) n) || ')'; END $$`)
	check.Fails(t, db, "54011", `ALTER TABLE items ADD COLUMN one_more int`)

	places := strings.TrimSuffix(strings.Repeat("$1,", 10), ",")
	check.Value(t, db, 10, `SELECT cardinality(ARRAY[`+places+`]::int[])`, 7)
	_, err := db.Exec(t.Context(), `SELECT 1 WHERE 1 IN ($1)`, make([]any, 65536)...)
	if err == nil {
		t.Error("statement with 65536 arguments: got no error, want one")
	}
}

// A server-side cursor fetches a result in pieces, forwards and backwards, without holding it all in the client.
func TestCursor(t *testing.T) {
	t.Parallel()
	tx := pgcell.Tx(t)
	check.Exec(t, tx, `DECLARE numbers SCROLL CURSOR FOR SELECT n FROM generate_series(1, 1000000) n`)
	check.Values(t, tx, []int{1, 2, 3}, `FETCH 3 FROM numbers`)
	check.Values(t, tx, []int{2, 1}, `FETCH BACKWARD 2 FROM numbers`)
	check.Values(t, tx, []int{500}, `FETCH ABSOLUTE 500 FROM numbers`)
	check.Exec(t, tx, `MOVE FORWARD 10 IN numbers`)
	check.Values(t, tx, []int{511}, `FETCH NEXT FROM numbers`)
	check.Exec(t, tx, `CLOSE numbers`)
	check.Fails(t, tx, "34000", `FETCH NEXT FROM numbers`)
}

// A cursor WITH HOLD lives past its transaction; WHERE CURRENT OF changes the row that a cursor stands on.
func TestCursorHoldAndCurrentOf(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TABLE items (n int); INSERT INTO items VALUES (1), (2), (3);
		BEGIN; DECLARE held CURSOR WITH HOLD FOR SELECT n FROM items ORDER BY n;
		DECLARE here CURSOR FOR SELECT n FROM items FOR UPDATE; FETCH 2 FROM here;
		UPDATE items SET n = 20 WHERE CURRENT OF here; COMMIT`)
	check.Values(t, conn, []int{1, 2, 3}, `FETCH ALL FROM held`) // as it was when the transaction ended its query
	check.Values(t, conn, []int{1, 3, 20}, `SELECT n FROM items ORDER BY n`)
	check.Exec(t, conn, `CLOSE held`)
}

// Rows stream: a program may stop after the first of very many, and the connection is usable again.
func TestStopReadingEarly(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	rows, err := conn.Query(t.Context(), `SELECT n FROM generate_series(1, 50000) n`)
	if err != nil {
		t.Fatalf("query: got error %v, want none", err)
	}
	if !rows.Next() {
		t.Fatalf("first row: got none (%v), want one", rows.Err())
	}
	if _, err := conn.Exec(t.Context(), `SELECT 1`); err == nil || errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("second statement while rows are open: got error %v, want that the connection is busy", err)
	}
	rows.Close()
	check.Value(t, conn, 1, `SELECT 1`)
}
