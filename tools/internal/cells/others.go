package cells

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// othersSQL selects the processes in database $1 but for those in $2, beginning ones included: they hold a lock on the
// database until they show as sessions. So locks are looked at first, as Append does, and sessions then.
var othersSQL = `
SELECT pid FROM pg_locks WHERE locktype = 'object' AND classid = 1262 AND objid = $1 AND pid <> ALL ($2::int[])
UNION ALL ` + backends("p.pid <> ALL ($2::int[]) AND p.db = $1")

// fewSQL selects in a quarter of the time of othersSQL the same, and processes that might be going to be in the
// database: those in none but for $3, the server's own. From PostgreSQL 18 on a process shows before it asks for a
// database by name (pgstat_bestart_initial in src/backend/utils/init/postinit.c).
var fewSQL = backends("p.pid <> ALL ($2::int[]) AND p.db = $1 OR p.pid <> ALL ($3::int[]) AND p.db = 0")

func backends(where string) string {
	return fmt.Sprintf("SELECT p.pid FROM (SELECT %s(i) AS pid, %s(i) AS db FROM %s() AS i) AS p WHERE %s",
		golden.BackendPID, golden.BackendDatabase, golden.BackendSet, where)
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
	rows, err := q.Query(ctx, "SELECT pid::text FROM "+golden.ActivityFunction+"(NULL)"+
		" WHERE datid IS NULL AND backend_type NOT IN ('client backend', 'walsender', 'autovacuum worker')")
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

// sendOthers asks who is in a cell but for own, and the warden; few asks fewSQL.
func (w *warden) sendOthers(p *pgconn.Pipeline, c *cell, own []uint32, few bool) {
	pids := oid(w.conn.PgConn().PID())
	for _, pid := range own {
		pids = strconv.AppendUint(append(pids, ','), uint64(pid), 10)
	}
	pids = append(append([]byte("{"), pids...), '}')
	if few {
		p.SendQueryPrepared(fewStatement, [][]byte{oid(c.oid), pids, w.daemons}, nil, nil)
		return
	}
	p.SendQueryPrepared(othersStatement, [][]byte{oid(c.oid), pids}, nil, nil)
}
