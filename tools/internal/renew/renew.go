// Package renew finds out what a test has changed in a database, by the server's own counters, and puts it back.
//
// A database is renewed only if the counters account for every change, by rows in tables that are empty in the template
// or hold a few rows there. The test's rows are deleted, the tables vacuumed, the planner's figures and the sequences put
// back. What was changed otherwise is a reason to drop the database: nothing else is ever repaired.
package renew

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/facts"
)

// Database is what is known of a database from one test to the next. Its fields are for one goroutine at a time.
type Database struct {
	OID     uint32
	Version string // the transaction that last wrote its row in pg_database, as xmin has it
	Started string // since when the server counts at all: a crash sets all counters to zero
	reset   string // when the database's counters were last reset; "" for never
	given   int64  // see parametersGiven
	own     string // parameters of the database
	seen    counters
	classes int64 // rows of pg_class that Cleaners have updated
}

// StartedCounting is an expression for [Database.Started], on any database of the server.
const StartedCounting = "coalesce(extract(epoch FROM pg_stat_get_bgwriter_stat_reset_time())::text, '')"

// lastReset is an expression for when the counters of database %s, or of one of its tables, were last set to zero.
const lastReset = "coalesce(pg_stat_get_db_stat_reset_time(%s)::text, '')"

// parametersGiven is an expression for how often databases and roles were given parameters (in pg_db_role_setting), or
// lost them: a session that was opened in between has them.
const parametersGiven = "pg_stat_get_tuples_inserted(2964) + pg_stat_get_tuples_updated(2964) + pg_stat_get_tuples_deleted(2964)"

// Identify describes a new clone.
//
// Errors: those of the connection.
func Identify(ctx context.Context, conn querier, name string) (d Database, err error) {
	sql := "SELECT oid, xmin::text, " + StartedCounting + ", " + fmt.Sprintf(lastReset, "oid") + ", " + parametersGiven + ", " +
		facts.DatabaseSettings("oid") + " FROM pg_database WHERE datname = $1"
	err = conn.QueryRow(ctx, sql, name).Scan(&d.OID, &d.Version, &d.Started, &d.reset, &d.given, &d.own)
	return d, err
}

// Rows gives the counters of a table of the template, as they were when the last test had gone: inserted, updated,
// deleted.
func (d *Database) Rows(table int) [3]int64 { return d.seen.tables[table].rows }

// Cleaner is a superuser's connection into a database, which renews it after each test. It serves one goroutine at a time.
type Cleaner struct {
	conn     *pgx.Conn
	template *Template
	deletes  map[int]string // names of prepared statements, by table
}

// Template is what databases are clones of.
type Template struct {
	Facts *facts.Template
	Major int // version of the server
	// Prepared and Slots tell that the server allows prepared transactions and logical replication slots.
	Prepared, Slots bool
}

// settings: triggers, rules and foreign keys of the ordinary kind do not fire on what a Cleaner deletes; counters are read
// as they are now.
var settings = map[string]string{
	"session_replication_role": "replica", "stats_fetch_consistency": "none", "application_name": "pgcell cleaner",
	"client_min_messages": "error",
	// A session that a test left may hold locks: it is ended first then.
	"lock_timeout": "200ms",
}

// Names of prepared statements.
const (
	renameStatement = "pgcell_rename"
	lookStatement   = "pgcell_look"
	tablesStatement = "pgcell_tables"
	othersStatement = "pgcell_others"
	setvalStatement = "pgcell_setval"
	classStatement  = "pgcell_class"
	grownStatement  = "pgcell_grown"
)

// Connect opens a Cleaner's connection; config is the superuser's to the database.
//
// Errors: those of the connection.
func Connect(ctx context.Context, config *pgx.ConnConfig, t *Template) (*Cleaner, error) {
	maps.Copy(config.RuntimeParams, settings)
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	c := &Cleaner{conn: conn, template: t, deletes: map[int]string{}}
	_, err = c.ask(ctx, func(p *pgconn.Pipeline) {
		p.SendPrepare(renameStatement, renameSQL, nil)
		p.SendPrepare(othersStatement, othersSQL, nil)
		p.SendPrepare(lookStatement, t.lookSQL(), nil)
		p.SendPrepare(tablesStatement, t.tablesSQL(), nil)
		p.SendPrepare(setvalStatement, setvalSQL, nil)
		p.SendPrepare(grownStatement, grownSQL, nil)
		p.SendPrepare(classStatement, classSQL(t.Facts), nil)
	})
	if err != nil {
		conn.Close(ctx)
		return nil, err
	}
	return c, nil
}

// PID is the process that serves the connection.
func (c *Cleaner) PID() uint32 { return c.conn.PgConn().PID() }

// NetConn is the socket, to see whether the server has closed it.
func (c *Cleaner) NetConn() net.Conn { return c.conn.PgConn().Conn() }

// Close ends the connection.
func (c *Cleaner) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	c.conn.Close(ctx)
}

// Renew gives the database a new name, by which nobody knows it, ends the sessions in it but for own, and makes it like a
// new clone. reason says why that cannot be done: the database is to be dropped. ended is told of sessions that were
// ended. renamed reports whether the database has the new name, whatever came after that.
//
// Errors: those of the connection.
func (c *Cleaner) Renew(
	ctx context.Context, d *Database, name string, own []uint32, ended func([]Leftover),
) (renamed bool, reason string, err error) {
	version, now, err := c.rename(ctx, d, name, own)
	if version != "" {
		d.Version, renamed = version, true
	}
	switch {
	case err != nil:
		return renamed, "", fmt.Errorf("rename and look: %w", err)
	case !renamed:
		return false, "the database was altered", nil
	}
	if now == nil {
		if now, reason, err = c.clear(ctx, d, own, ended); now == nil {
			return true, reason, err
		}
	}
	if reason, err := c.judge(ctx, d, now); reason != "" || err != nil {
		return true, reason, err
	}
	reason, err = c.clean(ctx, d, now)
	if reason == "" && err == nil {
		d.seen = *now
	}
	return true, reason, err
}

// clear ends whoever is in a database but for own, and looks when all have gone. reason says why that cannot be done.
func (c *Cleaner) clear(
	ctx context.Context, d *Database, own []uint32, ended func([]Leftover),
) (now *counters, reason string, err error) {
	for range 10 {
		others, err := c.others(ctx, d, own)
		if err != nil {
			return nil, "", fmt.Errorf("look for sessions: %w", err)
		}
		if len(others) == 0 {
			looked, err := c.ask(ctx, func(p *pgconn.Pipeline) { c.sendLook(p, d) })
			if err != nil {
				return nil, "", fmt.Errorf("look again: %w", err)
			}
			now, err = parse(looked)
			return now, "", err
		}
		gone, err := End(ctx, c.conn, others)
		if err != nil {
			return nil, "", err
		}
		ended(gone)
	}
	return nil, "sessions come again and again", nil
}

// ask sends what send does, in one round trip and one transaction, and gives the results.
func (c *Cleaner) ask(ctx context.Context, send func(*pgconn.Pipeline)) (results []*pgconn.Result, err error) {
	p := c.conn.PgConn().StartPipeline(ctx)
	send(p)
	if err = p.Sync(); err == nil {
		results, err = segment(p)
	}
	if closing := p.Close(); err == nil {
		err = closing
	}
	return results, err
}

// segment reads results up to the next synchronization; the error is the first one's.
func segment(p *pgconn.Pipeline) (results []*pgconn.Result, err error) {
	for {
		got, failed := p.GetResults()
		var pg *pgconn.PgError
		if failed != nil && !errors.As(failed, &pg) {
			return nil, failed
		}
		switch got := got.(type) {
		case *pgconn.ResultReader:
			r := got.Read()
			results = append(results, r)
			failed = r.Err
		case *pgconn.PipelineSync:
			return results, err
		case nil:
			if failed == nil { // the server ended the session while it was synchronizing
				return nil, errors.Join(err, io.ErrUnexpectedEOF)
			}
		}
		if err == nil {
			err = failed
		}
	}
}

func oid(n uint32) []byte { return strconv.AppendUint(nil, uint64(n), 10) }

// array writes numbers as PostgreSQL's text form of an array.
func array[N any](numbers []N) []byte {
	return []byte("{" + strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", ","), "[]") + "}")
}
