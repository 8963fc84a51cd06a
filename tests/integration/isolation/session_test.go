package isolation_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
)

// The sessions in a test's database are its own, one that its pool may have opened ahead, and one of pgcell's in a database
// that is used again. A test may end those of its role, and the pool opens another.
func TestSessionsInACell(t *testing.T) {
	const (
		others   = `FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
		strange  = `SELECT count(*)::int ` + others + ` AND usename <> current_user AND application_name <> 'pgcell cleaner'`
		cleaners = `SELECT count(*) <= 1 ` + others + ` AND application_name = 'pgcell cleaner'`
		ahead    = `SELECT count(*) <= 1 ` + others + ` AND usename = current_user`
		endAhead = `SELECT count(pg_terminate_backend(pid)) <= 1 ` + others + ` AND usename = current_user`
	)
	for i := range 4 {
		t.Run(fmt.Sprint("pool ", i), func(t *testing.T) {
			pool := newCell(t).Pool()
			check.Value(t, pool, 0, strange)
			check.Value(t, pool, true, cleaners)
			check.Value(t, pool, true, ahead)
		})
		t.Run(fmt.Sprint("client ", i), func(t *testing.T) {
			cell := newCell(t)
			conn, err := pgx.Connect(t.Context(), cell.URL())
			if err != nil {
				t.Fatalf("connect: got error %v, want none", err)
			}
			defer conn.Close(context.Background()) //nolint:errcheck // the server ends it anyway
			check.Value(t, conn, 0, strange)
			check.Value(t, conn, true, cleaners)
			check.Value(t, conn, true, ahead)
			check.Value(t, conn, true, endAhead)
		})
	}
}
