// Package testmain opens one database for all tests in TestMain, and ends by os.Exit.
package testmain

import (
	"database/sql"
	"fmt"
	"os"
	"testing"
	"time"

	_ "github.com/lib/pq"
)

var db *sql.DB

func TestMain(m *testing.M) {
	var err error
	if db, err = sql.Open("postgres", os.Getenv("DATABASE_URL")); err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	if _, err := db.Exec("DELETE FROM item"); err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	if _, err := db.Exec("INSERT INTO item (name) VALUES ('a')"); err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	os.Exit(m.Run())
}

func TestOne(t *testing.T) {
	for range 20 {
		var n int
		if err := db.QueryRow("SELECT count(*) FROM item").Scan(&n); err != nil || n != 1 {
			t.Fatalf("%d rows, %v; want 1", n, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
