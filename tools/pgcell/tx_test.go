package pgcell_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/pgcell/pgcell/tools/pgcell"
)

func TestTxRollsBack(t *testing.T) {
	t.Parallel()
	for i := range 40 {
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

// TestTxOfMany has tests hold a transaction until all have one, as parents of parallel subtests do.
func TestTxOfMany(t *testing.T) {
	t.Parallel()
	var all, ended sync.WaitGroup
	for i := range 45 {
		all.Add(1)
		ended.Go(func() {
			f := &fakeTB{name: fmt.Sprint(t.Name(), i)}
			has := sync.OnceFunc(all.Done)
			f.run(func() {
				defer has()
				pgcell.Tx(f, shop)
				has()
				all.Wait()
			})
			if f.fatal != "" {
				t.Error(f.fatal)
			}
		})
	}
	ended.Wait()
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
