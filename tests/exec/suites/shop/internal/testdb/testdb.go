// Package testdb is what the module's tests have in common. They expect to be alone in the database, as tests do that grew
// up with go test -p 1: each empties the tables and counts what it has written.
package testdb

import (
	"database/sql"
	"os"
	"testing"
	"time"

	_ "github.com/lib/pq" // the driver of Open
)

// Clear empties the tables.
const Clear = "TRUNCATE item, orders RESTART IDENTITY"

// URL is where the database is.
func URL() string { return os.Getenv("DATABASE_URL") }

// Open opens the database by lib/pq, with its tables empty.
func Open(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	Exec(t, db, Clear)
	return db
}

// Exec executes a statement.
func Exec(t testing.TB, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.Exec(statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// Wait is what the code under test does besides: others have time to interfere.
func Wait() { time.Sleep(30 * time.Millisecond) }

// EnsureInt looks whether a query gives a number.
func EnsureInt(t testing.TB, db *sql.DB, want int, query string, args ...any) {
	t.Helper()
	var got int
	if err := db.QueryRow(query, args...).Scan(&got); err != nil || got != want {
		t.Errorf("%s = %d, %v; want %d", query, got, err, want)
	}
}
