// Package changes makes a role and changes a parameter of the server.
package changes

import (
	"database/sql"
	"os"
	"testing"
	"time"

	_ "github.com/lib/pq"
)

func TestRoleAndParameter(t *testing.T) {
	db, err := sql.Open("postgres", "dbname=app_test user="+os.Getenv("PGUSER"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // its session stays for the whole test
	for _, statement := range []string{
		"CREATE ROLE reader LOGIN PASSWORD 'of the suite'", "ALTER SYSTEM SET application_name = 'changed'",
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
	reader, err := sql.Open("postgres", "dbname=app_test user=reader password='of the suite'")
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := reader.Ping(); err != nil {
		t.Errorf("the role cannot log in: %v", err)
	}
	for _, statement := range []string{"ALTER SYSTEM RESET application_name", "DROP ROLE reader"} {
		if _, err := db.Exec(statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
}
