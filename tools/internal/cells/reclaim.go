package cells

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/session"
)

// holdsSQL tells whether a session has something that a new one would not have: a parameter or a role that was set,
// temporary tables, channels, cursors, prepared statements, advisory locks. What nextval gave cannot be asked for.
const holdsSQL = `
SELECT pg_my_temp_schema() <> 0 OR current_user <> session_user
  OR EXISTS (SELECT FROM pg_settings WHERE source = 'session') OR EXISTS (SELECT FROM pg_listening_channels())
  OR EXISTS (SELECT FROM pg_cursors) OR EXISTS (SELECT FROM pg_prepared_statements WHERE from_sql)
  OR EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())`

// reclaim ends connections that tests have and do not use, such as those of tests that wait for parallel subtests.
func (c *Cluster) reclaim() {
	for _, holder := range c.connections.Holders() {
		if cell, ok := holder.(*cell); ok {
			cell.reclaim()
		}
	}
}

// reclaim ends the cell's own connections while a test has the cell, and those of the test's that have rested for a
// second and hold nothing.
func (c *cell) reclaim() {
	c.mu.Lock()
	l := c.lease
	c.mu.Unlock()
	if l == nil || !l.mu.TryLock() {
		return
	}
	defer l.mu.Unlock()
	c.mu.Lock()
	returned := c.lease != l
	c.mu.Unlock()
	if returned {
		return
	}
	c.dismissCleaner()
	c.shed()
	for _, pool := range append([]*pgxpool.Pool{c.ready, l.wide}, l.others...) {
		if pool != nil {
			reclaimFrom(pool)
		}
	}
}

func reclaimFrom(pool *pgxpool.Pool) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, conn := range pool.AcquireAllIdle(ctx) {
		pg := conn.Conn().PgConn()
		client := session.Of(conn.Conn())
		if client != nil && client.Rests() && pg.TxStatus() == 'I' && client.Doubt() == "" {
			results, err := pg.Exec(ctx, holdsSQL).ReadAll()
			if err != nil || string(results[0].Rows[0][0]) == "f" {
				conn.Conn().Close(ctx)
			}
		}
		conn.Release() // ends it if it is closed
	}
}
