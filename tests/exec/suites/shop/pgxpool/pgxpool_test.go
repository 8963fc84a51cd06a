// Package pgxpool uses a pool of pgx from many goroutines.
package pgxpool

import (
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"example.com/shop/internal/testdb"
)

func TestPool(t *testing.T) {
	db := testdb.Open(t)
	pool, err := pgxpool.New(t.Context(), testdb.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var group sync.WaitGroup
	for i := range 10 {
		group.Go(func() {
			if _, err := pool.Exec(t.Context(), "INSERT INTO item (name) VALUES ('row ' || $1::int)", i); err != nil {
				t.Error(err)
			}
			testdb.Wait()
		})
	}
	group.Wait()
	testdb.EnsureInt(t, db, 10, "SELECT count(*) FROM item")
}
