package cells

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/renew"
)

// ending is how long connections that broke are given to be gone: pgx closes them behind the test.
const ending = 300 * time.Millisecond

// tell warns of sessions that a test has left, but for those of our own, which may take their time to end.
func (c *Cluster) tell(test string, ended []renew.Leftover, ours []uint32) {
	for _, one := range ended {
		if !slices.Contains(ours, one.PID) {
			c.warn(fmt.Sprintf("test %s left a session, which was ended: %s", test, one.Says))
		}
	}
}

// nameSessions tells of the sessions in a cell that is about to be dropped, which ends them.
func (c *Cluster) nameSessions(ctx context.Context, gone *cell, test string, ours []uint32) {
	if gone.cleaner != nil {
		ours = append(ours, gone.cleaner.PID())
	}
	gone.close()
	rows, err := c.admin.Query(ctx, "SELECT pid FROM pg_stat_get_activity(NULL) WHERE datid = $1", gone.database.OID)
	if err != nil {
		return // dropping the cell tells
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil || len(pids) == 0 {
		return
	}
	if ended, err := renew.Outlast(ctx, c.admin, pids); err == nil {
		c.tell(test, ended, ours)
	}
}
