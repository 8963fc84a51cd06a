// Package initdb migrates in an init function, which runs for a list of tests as well.
package initdb

import (
	"database/sql"
	"os"
	"testing"

	_ "github.com/lib/pq"
)

var db = func() *sql.DB {
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	if err == nil {
		_, err = db.Exec("CREATE TABLE own (n int); INSERT INTO own VALUES (1)")
	}
	if err != nil {
		panic(err)
	}
	return db
}()

func TestOwn(t *testing.T) {
	var n int
	if err := db.QueryRow("SELECT count(*) FROM own").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d rows, %v; want 1", n, err)
	}
}
