// Package pgxconn uses one connection of pgx, by the variables of libpq.
package pgxconn

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"example.com/shop/internal/testdb"
)

func connect(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(t.Context()) })
	if _, err := conn.Exec(t.Context(), testdb.Clear); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestCopy(t *testing.T) {
	conn := connect(t)
	rows := [][]any{{"a", 1}, {"b", 2}, {"c", 3}}
	if _, err := conn.CopyFrom(t.Context(), pgx.Identifier{"item"}, []string{"name", "price"}, pgx.CopyFromRows(rows)); err != nil {
		t.Fatal(err)
	}
	testdb.Wait()
	var sum int
	if err := conn.QueryRow(t.Context(), "SELECT sum(price) FROM item").Scan(&sum); err != nil || sum != 6 {
		t.Errorf("the prices are %d, %v; want 6", sum, err)
	}
}

func TestBatch(t *testing.T) {
	conn := connect(t)
	batch := &pgx.Batch{}
	for _, name := range []string{"a", "b"} {
		batch.Queue("INSERT INTO item (name) VALUES ($1)", name)
	}
	if err := conn.SendBatch(t.Context(), batch).Close(); err != nil {
		t.Fatal(err)
	}
	testdb.Wait()
	rows, _ := conn.Query(t.Context(), "SELECT name FROM item ORDER BY id")
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) != 2 {
		t.Errorf("got %v, %v; want a and b", names, err)
	}
}
