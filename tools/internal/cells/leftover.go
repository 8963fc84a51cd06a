package cells

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// querier is a superuser's connection, or a pool of them.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// moment is how long a session is given that is about to end by itself: its client has closed the connection.
const moment = 60 * time.Millisecond

// ending is how long connections that broke are given to be gone: pgx closes them behind the test.
const ending = 300 * time.Millisecond

// leftover is a session that a test has left.
type leftover struct {
	PID  uint32
	Says string // who it is, for people
}

// outlast waits a moment for processes to end, and describes those that do not.
func outlast(ctx context.Context, q querier, pids []int) (left []leftover, err error) {
	for start, wait := time.Now(), time.Millisecond; time.Since(start) < moment; wait *= 2 {
		time.Sleep(wait)
		var still int
		err := q.QueryRow(ctx, "SELECT count(*) FROM pg_stat_get_activity(NULL) WHERE pid = ANY ($1)", pids).Scan(&still)
		if err != nil || still == 0 {
			return nil, err
		}
	}
	rows, err := q.Query(ctx, "SELECT pid, format('process %s, application_name %s, %s, last query %s', pid, to_json(application_name),"+
		" coalesce(state, 'starting'), to_json(left(query, 200))) FROM pg_stat_activity WHERE pid = ANY ($1)", pids)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[leftover])
}

// end ends processes that a test has left, and describes them, but for those that were about to end.
func end(ctx context.Context, q querier, pids []int) (ended []leftover, err error) {
	ended, err = outlast(ctx, q, pids)
	if err != nil {
		return nil, err
	}
	terminate := "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_get_activity(NULL) WHERE pid = ANY ($1)"
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		var still int
		if err := q.QueryRow(ctx, terminate, pids).Scan(&still); err != nil || still == 0 {
			return ended, err
		}
	}
	return ended, fmt.Errorf("end sessions that the test left: processes %v do not end", pids)
}

// tell warns of sessions that a test has left, but for those of our own, which may take their time to end.
func (c *Cluster) tell(test string, ended []leftover, ours []uint32) {
	for _, one := range ended {
		if !slices.Contains(ours, one.PID) {
			c.warn(fmt.Sprintf("test %s left a session, which was ended: %s", test, one.Says))
		}
	}
}

// nameSessions tells of the sessions in a cell that is about to be dropped, which ends them.
func (c *Cluster) nameSessions(ctx context.Context, gone *cell, test string, ours []uint32) {
	if gone.warden != nil {
		ours = append(ours, gone.warden.conn.PgConn().PID())
	}
	gone.close()
	rows, err := c.admin.Query(ctx, "SELECT pid FROM pg_stat_get_activity(NULL) WHERE datid = $1", gone.oid)
	if err != nil {
		return // dropping the cell tells
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil || len(pids) == 0 {
		return
	}
	if ended, err := outlast(ctx, c.admin, pids); err == nil {
		c.tell(test, ended, ours)
	}
}
