// Package testmain opens one database for all tests in TestMain, and ends by os.Exit.
package testmain

import (
	"database/sql"
	"fmt"
	"os"
	"testing"

	_ "github.com/lib/pq"

	"example.com/shop/internal/testdb"
)

var db *sql.DB

func TestMain(m *testing.M) {
	var err error
	if db, err = sql.Open("postgres", testdb.URL()); err == nil {
		_, err = db.Exec(testdb.Clear + "; INSERT INTO item (name) VALUES ('of all tests')")
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	code := m.Run()
	if os.Getenv("SHOP_FAIL") != "" {
		code = 4
	}
	os.Exit(code)
}

func TestOne(t *testing.T)   { see(t) }
func TestOther(t *testing.T) { see(t) }

func see(t *testing.T) {
	t.Helper()
	for range 3 {
		testdb.EnsureInt(t, db, 1, "SELECT count(*) FROM item")
		testdb.Wait()
	}
}
