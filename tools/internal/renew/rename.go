package renew

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// renameSQL gives the database a new name, if nobody has altered the database ($3 is the transaction that wrote its
// row), and has the session's own counters known.
const renameSQL = "UPDATE pg_database SET datname = $1 WHERE oid = $2 AND xmin::text = $3 RETURNING xmin, pg_stat_force_next_flush()"

// rename gives the database its next name, and looks at who and what is in it, all in one round trip. version is the
// transaction that renamed it, "" where somebody has altered the database. now is nil where another session may write
// after the look.
func (c *Cleaner) rename(ctx context.Context, d *Database, name string, own []uint32) (version string, now *counters, err error) {
	p := c.conn.PgConn().StartPipeline(ctx)
	p.SendQueryPrepared(renameStatement, [][]byte{[]byte(name), oid(d.OID), []byte(d.Version)}, nil, nil)
	p.SendPipelineSync() // committed, so that nobody gets in by the old name, before others are looked for
	c.sendOthers(p, d, own)
	p.SendPipelineSync()
	c.sendLook(p, d)
	var renamed, others, looked []*pgconn.Result
	var failed error
	if err = p.Sync(); err == nil {
		renamed, err = segment(p)
	}
	if err == nil && len(renamed[0].Rows) > 0 {
		version = string(renamed[0].Rows[0][0])
	}
	if err == nil {
		others, err = segment(p)
	}
	if err == nil {
		looked, failed = segment(p)
	}
	closing := p.Close()
	if err != nil || len(others[0].Rows) > 0 {
		return version, nil, err // what failed in the look does not matter: others may hold locks
	}
	if err = errors.Join(failed, closing); err != nil {
		return version, nil, err
	}
	now, err = parse(looked)
	return version, now, err
}
