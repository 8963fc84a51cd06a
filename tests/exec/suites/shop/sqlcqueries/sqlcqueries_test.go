// Package sqlcqueries has queries in the form that sqlc generates.
package sqlcqueries

import (
	"context"
	"database/sql"
	"testing"

	"example.com/shop/internal/testdb"
)

type dbtx interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

type queries struct{ db dbtx }

func (q *queries) createItem(ctx context.Context, name string) (id int, err error) {
	err = q.db.QueryRowContext(ctx, "INSERT INTO item (name) VALUES ($1) RETURNING id", name).Scan(&id)
	return id, err
}

func (q *queries) countItems(ctx context.Context) (n int, err error) {
	err = q.db.QueryRowContext(ctx, "SELECT count(*) FROM item").Scan(&n)
	return n, err
}

func TestQueries(t *testing.T) {
	q := &queries{testdb.Open(t)}
	if id, err := q.createItem(t.Context(), "a"); err != nil || id != 1 {
		t.Errorf("createItem() = %d, %v; want 1", id, err)
	}
	testdb.Wait()
	if n, err := q.countItems(t.Context()); err != nil || n != 1 {
		t.Errorf("countItems() = %d, %v; want 1", n, err)
	}
}
