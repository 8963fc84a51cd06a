// Package pgxstdlib uses database/sql with pgx.
package pgxstdlib

import (
	"database/sql"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"example.com/shop/internal/testdb"
)

func TestTransaction(t *testing.T) {
	testdb.Open(t)
	db, err := sql.Open("pgx", testdb.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, commit := range []bool{true, false} {
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("INSERT INTO item (name) VALUES ($1)", "a"); (err == nil) != commit {
			t.Fatalf("insert: %v", err)
		}
		testdb.Wait()
		if commit {
			err = tx.Commit()
		} else {
			err = tx.Rollback()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	testdb.EnsureInt(t, db, 1, "SELECT count(*) FROM item")
}
