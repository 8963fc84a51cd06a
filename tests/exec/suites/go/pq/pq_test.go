// Package pq uses database/sql with lib/pq. Its tests expect to be alone in their database, as all of this module's do.
package pq

import (
	"database/sql"
	"os"
	"testing"
	"time"

	_ "github.com/lib/pq"
)

func open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestCount(t *testing.T) {
	db := open(t)
	for range 5 {
		if _, err := db.Exec("TRUNCATE item RESTART IDENTITY"); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b", "c"} {
			if _, err := db.Exec("INSERT INTO item (name) VALUES ($1)", name); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		var n, last int
		if err := db.QueryRow("SELECT count(*), max(id) FROM item").Scan(&n, &last); err != nil || n != 3 || last != 3 {
			t.Fatalf("%d rows, the last is %d, %v; want 3 and 3", n, last, err)
		}
	}
}

func TestName(t *testing.T) {
	var name string
	if err := open(t).QueryRow("SELECT current_database()").Scan(&name); err != nil || name != os.Getenv("TEST_DB_NAME") {
		t.Errorf("the database is %s, and TEST_DB_NAME %s (%v)", name, os.Getenv("TEST_DB_NAME"), err)
	}
	second, err := sql.Open("postgres", "dbname="+os.Getenv("TEST_DB_NAME_2"))
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := second.QueryRow("SELECT current_database()").Scan(&name); err != nil || name != os.Getenv("TEST_DB_NAME_2") {
		t.Errorf("the second database is %s, and TEST_DB_NAME_2 %s (%v)", name, os.Getenv("TEST_DB_NAME_2"), err)
	}
}
