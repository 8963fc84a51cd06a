package cells_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestOwnPoolIsUsedUp has a test hold all connections of its pool in several ways, and ask for another.
func TestOwnPoolIsUsedUp(t *testing.T) {
	t.Parallel()
	var warned warnings
	c := mustShop(t, func(c *cells.Config) { c.Recycle, c.Warn = cells.Auto, warned.add })
	l := mustTake(t, c)
	defer l.Return()
	ctx := t.Context()
	for range 2 {
		tx, err := l.Pool().Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback(ctx)
		if _, err := tx.Exec(ctx, "SELECT 'in a transaction'"); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := l.Pool().Query(ctx, "SELECT 'unread', generate_series(1, 1000000)")
	if err != nil || !rows.Next() {
		t.Fatal("no rows", err)
	}
	defer rows.Close()
	conn, err := l.Pool().Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	ended, cancel := context.WithTimeout(ctx, 6*time.Second)
	defer cancel()
	if _, err := l.Pool().Exec(ended, "SELECT 1"); err == nil {
		t.Error("there was a fifth connection")
	}
	for _, want := range []string{
		t.Name() + " waits for a connection of its own pool, and has all 4 in use: process ",
		` idle in transaction, last statement "SELECT 'in a transaction'"`, ` active, last statement "SELECT 'unread', generate_series(1, 1000000)"`,
		"; end transactions, close rows, call Release",
	} {
		if !strings.Contains(warned.String(), want) {
			t.Errorf("warned %q, want %q in it", &warned, want)
		}
	}
}
