// Package drops drops its database and makes it anew, by the database postgres.
package drops

import (
	"database/sql"
	"os"
	"testing"

	_ "github.com/lib/pq"
)

func open(t *testing.T, name string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", "dbname="+name+" user="+os.Getenv("PGUSER"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func TestDropAndCreate(t *testing.T) {
	maintenance := open(t, "postgres")
	for range 3 {
		exec(t, maintenance, "DROP DATABASE IF EXISTS app_test WITH (FORCE)")
		exec(t, maintenance, "CREATE DATABASE app_test")
		db := open(t, "app_test")
		exec(t, db, "CREATE TABLE item (name text); INSERT INTO item VALUES ('a')")
		var name string
		if err := db.QueryRow("SELECT name || ' in ' || current_database() FROM item").Scan(&name); err != nil || name != "a in app_test" {
			t.Errorf("got %q, %v; want a in app_test", name, err)
		}
	}
}
