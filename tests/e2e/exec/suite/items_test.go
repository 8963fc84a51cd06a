// Package suite_test expects that each of its processes is alone in its database: TestMain makes a table.
package suite_test

import (
	"database/sql"
	"fmt"
	"os"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
)

var db *sql.DB

func TestMain(m *testing.M) {
	var err error
	if db, err = sql.Open("pgx", os.Getenv("DATABASE_URL")); err == nil {
		_, err = db.Exec("INSERT INTO item VALUES (1, 'from Go')")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func ensureOneItem(t *testing.T) {
	t.Helper()
	var n int
	var database string
	if err := db.QueryRow("SELECT count(*), current_database() FROM item").Scan(&n, &database); err != nil || n != 1 {
		t.Errorf("%d items, %v; want 1", n, err)
	}
	t.Logf("database %s of worker %s", database, os.Getenv("TEST_WORKER"))
}

func TestFirst(t *testing.T) { ensureOneItem(t) }

func TestSecond(t *testing.T) { ensureOneItem(t) }
