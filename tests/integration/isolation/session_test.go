package isolation_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
)

// A test may count and end the sessions of its database. Only its own are there, in a database that others had before
// too, by whichever client it asks.
func TestSessionsAreTheTestsOwn(t *testing.T) {
	const (
		others = `FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
		number = `SELECT count(*)::int ` + others
		end    = `SELECT count(pg_terminate_backend(pid))::int ` + others
	)
	for i := range 4 {
		t.Run(fmt.Sprint("pool ", i), func(t *testing.T) {
			pool := newCell(t).Pool()
			check.Value(t, pool, 0, number)
			check.Value(t, pool, 0, end)
		})
		t.Run(fmt.Sprint("client ", i), func(t *testing.T) {
			conn, err := pgx.Connect(t.Context(), newCell(t).URL())
			if err != nil {
				t.Fatalf("connect: got error %v, want none", err)
			}
			defer conn.Close(context.Background()) //nolint:errcheck // the server ends it anyway
			check.Value(t, conn, 0, number)
			check.Value(t, conn, 0, end)
		})
	}
}
