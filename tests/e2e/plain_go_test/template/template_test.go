// Package template_test takes its schema from a pg_template and has no BUILD macro of pgcell.
package template_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/pgcell"
)

// Each test inserts the first note of its own database.
func insertFirst(t *testing.T) {
	t.Helper()
	t.Parallel()
	cell := pgcell.New(t)
	t.Log("cell", cell.Name())
	var id int
	if err := cell.DB().QueryRow("INSERT INTO note (body) VALUES ('hello') RETURNING id").Scan(&id); err != nil {
		t.Fatal(err)
	}
	if id != 1 {
		t.Errorf("id of the first note = %d, want 1", id)
	}
}

func TestOne(t *testing.T)   { insertFirst(t) }
func TestTwo(t *testing.T)   { insertFirst(t) }
func TestThree(t *testing.T) { insertFirst(t) }
