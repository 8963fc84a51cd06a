package users_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/pgcell"
)

func TestAddUser(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t) // a database of this test's own, migrated
	if _, err := cell.Pool().Exec(t.Context(), "INSERT INTO users (name) VALUES ('Ada')"); err != nil {
		t.Fatal(err)
	}
}
