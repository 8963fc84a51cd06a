package pgcell_test

import (
	"os"
	"regexp"
	"testing"
	"testing/fstest"

	"github.com/pgcell/pgcell/tools/pgcell"
)

var shop = pgcell.Config{Migrations: fstest.MapFS{
	"1_users.sql":      {Data: []byte("CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL);")},
	"1_users.down.sql": {Data: []byte("DROP TABLE users;")},
	"2_ada.sql":        {Data: []byte("INSERT INTO users (name) VALUES ('Ada');")},
}}

// mustScan gives the single value of a query on the cell's pool.
func mustScan[T any](t *testing.T, cell *pgcell.Cell, sql string, args ...any) T {
	t.Helper()
	var got T
	if err := cell.Pool().QueryRow(t.Context(), sql, args...).Scan(&got); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}

func TestNewGivesMigratedDatabase(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t, shop)
	if got := mustScan[string](t, cell, "SELECT name FROM users"); got != "Ada" {
		t.Errorf("name = %q, want Ada", got)
	}
	if got := mustScan[string](t, cell, "SELECT current_database()"); got != cell.Name() {
		t.Errorf("current_database() = %q, want %q", got, cell.Name())
	}
	if got := mustScan[bool](t, cell, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"); got {
		t.Error("the cell's role is a superuser, want an ordinary one")
	}
}

func TestNames(t *testing.T) {
	cell := pgcell.New(t) // not parallel: it reads the process's environment
	want := regexp.MustCompile(`^test_db_(w\d+|master)_([0-9a-f]{8})$`)
	m := want.FindStringSubmatch(cell.Name())
	if m == nil || m[1] != pgcell.Worker() {
		t.Fatalf("Name() = %q, want %v with worker %s", cell.Name(), want, pgcell.Worker())
	}
	if got, want := cell.Table(), "test_table_"+m[1]+"_"+m[2]; got != want {
		t.Errorf("Table() = %q, want %q", got, want)
	}
	second := pgcell.New(t)
	if got, want := second.Name(), cell.Name()+"_2"; got != want {
		t.Errorf("second Name() = %q, want %q", got, want)
	}
	for name, want := range map[string]string{"TEST_DB_NAME": cell.Name(), "TEST_DB_NAME_2": second.Name(), "TEST_TABLE_NAME": cell.Table()} {
		if got := os.Getenv(name); got != want {
			t.Errorf("$%s = %q, want %q", name, got, want)
		}
	}
}
