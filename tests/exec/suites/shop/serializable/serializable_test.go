// Package serializable has two transactions of which one must fail.
package serializable

import (
	"database/sql"
	"testing"

	"example.com/shop/internal/testdb"
)

func TestWriteSkew(t *testing.T) {
	db := testdb.Open(t)
	testdb.Exec(t, db, "INSERT INTO item (name) VALUES ('a'), ('b')")
	var txs []*sql.Tx
	for range 2 {
		tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable})
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if err := tx.QueryRow("SELECT sum(price) FROM item").Scan(&n); err != nil || n != 2 {
			t.Fatalf("the prices are %d, %v; want 2", n, err)
		}
		txs = append(txs, tx)
	}
	failed := 0
	for i, tx := range txs {
		if _, err := tx.Exec("UPDATE item SET price = 0 WHERE id = $1", i+1); err != nil {
			failed++
			tx.Rollback()
		} else if err := tx.Commit(); err != nil {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%d transactions failed, want 1", failed)
	}
}
