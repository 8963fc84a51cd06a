package transactions_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
)

// inBackground runs sql on conn in a goroutine and returns once it waits for a lock or a snapshot; its error comes
// over the channel. The test must take that error before it uses conn again.
func inBackground(t *testing.T, conn *pgx.Conn, sql string, args ...any) <-chan error {
	t.Helper()
	done := make(chan error, 1)
	watcher := check.Conn(t, conn.Config())
	go func() {
		_, err := conn.Exec(t.Context(), sql, args...)
		done <- err
	}()
	check.Until(t, "the statement waits: "+sql, func() bool {
		return check.One[bool](t, watcher, `SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = $1 AND state = 'active'
			AND (wait_event_type = 'Lock' OR wait_event = 'SafeSnapshot')`, int32(conn.PgConn().PID()))
	})
	return done
}
