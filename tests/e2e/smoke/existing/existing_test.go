// Package existing_test has its databases on a server that others manage.
package existing_test

import (
	"embed"
	"testing"

	"github.com/pgcell/pgcell/tools/pgcell"
)

//go:embed *.sql
var migrations embed.FS

func TestNote(t *testing.T) {
	cell := pgcell.New(t, pgcell.Config{Migrations: migrations})
	t.Log("cell", cell.Name())
	var id int
	var role string
	const sql = "INSERT INTO note (body) VALUES ('hello') RETURNING id, current_user"
	if err := cell.DB().QueryRow(sql).Scan(&id, &role); err != nil {
		t.Fatal(err)
	}
	if id != 1 || role != "app" {
		t.Errorf("note %d of role %s, want note 1 of role app", id, role)
	}
}
