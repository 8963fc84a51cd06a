// Package pgxpool uses pgx by the variables of libpq.
package pgxpool

import (
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

func TestPool(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), "TRUNCATE item"); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if _, err := pool.Exec(t.Context(), "INSERT INTO item (name) VALUES ('row ' || $1::int)", i); err != nil {
				t.Error(err)
			}
			time.Sleep(50 * time.Millisecond)
		})
	}
	group.Wait()
	var n int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM item").Scan(&n); err != nil || n != 20 {
		t.Errorf("%d rows, %v; want 20", n, err)
	}
}
