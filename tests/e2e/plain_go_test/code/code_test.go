// Package code_test takes its schema from files that are embedded in the test.
package code_test

import (
	"embed"
	"testing"

	"github.com/pgcell/pgcell/tools/pgcell"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Each test inserts the first note of its own database.
func insertFirst(t *testing.T) {
	t.Helper()
	t.Parallel()
	cell := pgcell.New(t, pgcell.Config{Migrations: migrations})
	t.Log("cell", cell.Name())
	var id int
	if err := cell.DB().QueryRow("INSERT INTO note (body) VALUES ('hello') RETURNING id").Scan(&id); err != nil {
		t.Fatal(err)
	}
	if id != 1 {
		t.Errorf("id of the first note = %d, want 1", id)
	}
}

func TestOne(t *testing.T) { insertFirst(t) }
func TestTwo(t *testing.T) { insertFirst(t) }
