// Package sqlxorders uses sqlx.
package sqlxorders

import (
	"testing"

	"github.com/jmoiron/sqlx"

	"example.com/shop/internal/testdb"
)

type order struct {
	Item string `db:"item"`
	N    int    `db:"n"`
}

func TestSelect(t *testing.T) {
	db := sqlx.NewDb(testdb.Open(t), "postgres")
	db.MustExec("INSERT INTO item (name) VALUES ('a'), ('b')")
	testdb.Wait()
	if _, err := db.NamedExec("INSERT INTO orders (item_id, n) SELECT id, :n FROM item WHERE name = :item", order{"b", 3}); err != nil {
		t.Fatal(err)
	}
	var got []order
	err := db.Select(&got, "SELECT name AS item, n FROM orders JOIN item ON item.id = item_id")
	if err != nil || len(got) != 1 || got[0] != (order{"b", 3}) {
		t.Errorf("got %v, %v; want 3 of b", got, err)
	}
}
