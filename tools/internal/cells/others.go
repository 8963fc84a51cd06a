package cells

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// othersSQL selects the processes in database $1 but for those in $2, beginning ones included: they hold a lock on the
// database until they show as sessions. So locks are looked at first, as Append does, and sessions then.
var othersSQL = `
SELECT pid FROM pg_locks WHERE locktype = 'object' AND classid = 1262 AND objid = $1 AND pid <> ALL ($2::int[])
UNION ALL ` + backends("p.pid <> ALL ($2::int[]) AND p.db = $1")

// quickSQL selects in a quarter of the time of othersSQL the same, and processes that might be going to be in the
// database: those in none but for $3, the server's own. From PostgreSQL 18 on a process shows before it asks for a
// database by name (pgstat_bestart_initial in src/backend/utils/init/postinit.c).
var quickSQL = backends("p.pid <> ALL ($2::int[]) AND p.db = $1 OR p.pid <> ALL ($3::int[]) AND p.db = 0")

func backends(where string) string {
	return "SELECT p.pid FROM (SELECT pg_stat_get_backend_pid(i) AS pid, pg_stat_get_backend_dbid(i) AS db" +
		" FROM pg_stat_get_backend_idset() AS i) AS p WHERE " + where
}

// daemons are the processes of a server that are in no database and never will be.
type daemons struct {
	mu   sync.Mutex
	pids []byte // as an array of PostgreSQL's; nil until they are known
}

// know gives them.
func (d *daemons) know(ctx context.Context, q querier) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pids != nil {
		return d.pids, nil
	}
	rows, err := q.Query(ctx, "SELECT pid::text FROM pg_stat_get_activity(NULL)"+
		" WHERE datid IS NULL AND backend_type IN ('checkpointer', 'background writer', 'walwriter', 'archiver', 'io worker',"+
		" 'logical replication launcher', 'autovacuum launcher')")
	if err != nil {
		return nil, err
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("ask for the server's own processes: %w", err)
	}
	d.pids = []byte("{" + strings.Join(pids, ",") + "}")
	return d.pids, nil
}

// sendOthers asks who is in a cell but for own, and the warden; quick asks quickSQL, where there may be somebody.
func (w *warden) sendOthers(p *pgconn.Pipeline, c *cell, own []uint32, quick bool) {
	pids := oid(w.conn.PgConn().PID())
	for _, pid := range own {
		pids = strconv.AppendUint(append(pids, ','), uint64(pid), 10)
	}
	pids = append(append([]byte("{"), pids...), '}')
	if quick {
		p.SendQueryPrepared(quickStatement, [][]byte{oid(c.oid), pids, w.daemons}, nil, nil)
		return
	}
	p.SendQueryPrepared(othersStatement, [][]byte{oid(c.oid), pids}, nil, nil)
}

// others gives the processes in a cell but for own, and the warden.
func (w *warden) others(ctx context.Context, c *cell, own []uint32) (pids []int, err error) {
	results, err := w.ask(ctx, func(p *pgconn.Pipeline) { w.sendOthers(p, c, own, false) })
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

// calm ends whoever is in a cell but for own, and looks when all have gone. reason says why that cannot be done.
func (c *cell) calm(ctx context.Context, own []uint32, test string, ours []uint32) (now *sight, reason string, err error) {
	for range 10 {
		others, err := c.warden.others(ctx, c, own)
		if err != nil {
			return nil, "", fmt.Errorf("look for sessions: %w", err)
		}
		if len(others) == 0 {
			now, err = c.warden.look(ctx, c)
			if err != nil {
				err = fmt.Errorf("look again: %w", err)
			}
			return now, "", err
		}
		ended, err := end(ctx, c.warden.conn, others)
		if err != nil {
			return nil, "", err
		}
		c.pool.cluster.tell(test, ended, ours)
	}
	return nil, "sessions come again and again", nil
}
