package users_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/pgcell"
)

func TestAddUser(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t) // this test's own database, already migrated
	if _, err := cell.Pool().Exec(t.Context(), "INSERT INTO users (name) VALUES ('Ada')"); err != nil {
		t.Fatal(err)
	}
}
