package renew

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// othersSQL selects the processes in database $1 but for those in $2, beginning ones included: they hold a lock on the
// database until they show as sessions. So locks are looked at first, as Append does, and sessions then.
const othersSQL = `
SELECT pid FROM pg_locks WHERE locktype = 'object' AND classid = 1262 AND objid = $1 AND pid <> ALL ($2::int[])
UNION ALL
SELECT pid FROM (SELECT pg_stat_get_backend_pid(i) AS pid, pg_stat_get_backend_dbid(i) AS db FROM pg_stat_get_backend_idset() AS i) AS s
WHERE pid <> ALL ($2::int[]) AND db = $1`

// sendOthers asks who is in a database but for own, and the Cleaner.
func (c *Cleaner) sendOthers(p *pgconn.Pipeline, d *Database, own []uint32) {
	pids := append(own[:len(own):len(own)], c.PID())
	p.SendQueryPrepared(othersStatement, [][]byte{oid(d.OID), array(pids)}, nil, nil)
}

// others gives the processes in a database but for own, and the Cleaner.
func (c *Cleaner) others(ctx context.Context, d *Database, own []uint32) (pids []int, err error) {
	results, err := c.ask(ctx, func(p *pgconn.Pipeline) { c.sendOthers(p, d, own) })
	if err != nil {
		return nil, err
	}
	for _, r := range results[0].Rows {
		pid, err := strconv.Atoi(string(r[0]))
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// moment is how long a session is given that is about to end by itself: its client has closed the connection.
const moment = 60 * time.Millisecond

// Leftover is a session that a test has left.
type Leftover struct {
	PID  uint32
	Says string // who it is, for people
}

// Outlast waits a moment for processes to end, and describes those that do not.
func Outlast(ctx context.Context, conn querier, pids []int) (left []Leftover, err error) {
	for start, wait := time.Now(), time.Millisecond; time.Since(start) < moment; wait *= 2 {
		time.Sleep(wait)
		var still int
		err := conn.QueryRow(ctx, "SELECT count(*) FROM pg_stat_get_activity(NULL) WHERE pid = ANY ($1)", pids).Scan(&still)
		if err != nil || still == 0 {
			return nil, err
		}
	}
	rows, err := conn.Query(ctx, "SELECT pid, format('process %s, application_name %s, %s, last query %s', pid, to_json(application_name),"+
		" coalesce(state, 'starting'), to_json(left(query, 200))) FROM pg_stat_activity WHERE pid = ANY ($1)", pids)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Leftover])
}

// End ends processes that a test has left, and describes them, but for those that were about to end.
func End(ctx context.Context, conn querier, pids []int) (ended []Leftover, err error) {
	ended, err = Outlast(ctx, conn, pids)
	if err != nil {
		return nil, err
	}
	terminate := "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_get_activity(NULL) WHERE pid = ANY ($1)"
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		var still int
		if err := conn.QueryRow(ctx, terminate, pids).Scan(&still); err != nil || still == 0 {
			return ended, err
		}
	}
	return ended, fmt.Errorf("end sessions that the test left: processes %v do not end", pids)
}
