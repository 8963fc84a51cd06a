package pgcell_test

import (
	"fmt"
	"testing"

	"github.com/pgcell/pgcell/tools/pgcell"
)

func TestTxRollsBack(t *testing.T) {
	t.Parallel()
	for i := range 40 { // more than there are connections
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			tx := pgcell.Tx(t, shop)
			if _, err := tx.Exec(t.Context(), "INSERT INTO users (name) VALUES ($1)", t.Name()); err != nil {
				t.Fatal(err)
			}
			var n int
			if err := tx.QueryRow(t.Context(), "SELECT count(*) FROM users").Scan(&n); err != nil || n != 2 {
				t.Errorf("%d users, %v; want Ada and this test's own", n, err)
			}
		})
	}
}

func TestTxAfterCommit(t *testing.T) {
	t.Parallel()
	f := &fakeTB{name: t.Name()}
	f.run(func() {
		if err := pgcell.Tx(f).Commit(t.Context()); err != nil {
			f.Fatalf("%v", err)
		}
	})
	if f.fatal != "" || len(f.logs) > 0 {
		t.Errorf("a committed transaction made the test say %q, %q; want nothing", f.fatal, f.logs)
	}
}
