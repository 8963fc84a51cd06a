package cells

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// warden is a superuser's connection into a cell, which looks what a test has changed and makes the cell like new.
type warden struct {
	conn    *pgx.Conn
	facts   *golden.Facts
	major   int    // version of the server
	counts  string // what lookSQL counts besides
	release func() // gives its place among the connections back
}

// wardenSettings: triggers, rules and foreign keys of the ordinary kind do not fire on what the warden deletes; counters are read as they are now.
var wardenSettings = map[string]string{
	"session_replication_role": "replica", "stats_fetch_consistency": "none", "application_name": "pgcell warden", "client_min_messages": "error",
}

// Names of the warden's prepared statements.
const (
	renameStatement = "pgcell_rename"
	lookStatement   = "pgcell_look"
	rowsStatement   = "pgcell_rows"
)

// renameSQL gives the database a new name, if nobody has altered the database ($3 is the transaction that wrote its row), and has the warden's own counters known.
const renameSQL = "UPDATE pg_database SET datname = $1 WHERE oid = $2 AND xmin::text = $3 RETURNING xmin, pg_stat_force_next_flush()"

// lookSQL gives, for database $1: the processes in it but for those in $2, beginning ones (they hold a lock on the database, and show as sessions only later)
// included; parameters that the database or, in all databases, a role was given; how many things are in the way of using it again (a comment on it, and what %s stands for); the counters of all its rows.
const lookSQL = `
SELECT array_to_string(ARRAY(
         SELECT pid FROM pg_stat_get_activity(NULL) WHERE datid = $1 AND pid <> ALL ($2::int[])
         UNION SELECT pid FROM pg_locks WHERE locktype = 'object' AND classid = 1262 AND objid = $1 AND pid <> ALL ($2::int[])), ','),
       ` + golden.RoleSettings + ` || (SELECT coalesce(string_agg(setconfig::text, ' '), '') FROM pg_db_role_setting WHERE setdatabase = $1),
       (SELECT count(*) FROM pg_shdescription WHERE objoid = $1 AND classoid = 1262)%s,
       pg_stat_get_db_tuples_inserted($1), pg_stat_get_db_tuples_updated($1), pg_stat_get_db_tuples_deleted($1)`

// What lookSQL counts where the server allows it at all.
const (
	countPrepared = " + (SELECT count(*) FROM pg_prepared_xact() WHERE dbid = $1)"
	countSlots    = " + (SELECT count(*) FROM pg_get_replication_slots() WHERE datoid = $1)"
)

// rowsSQL gives the counters of each table that rows were ever put into, with those of its TOAST table, and of each sequence that was ever looked at.
const rowsSQL = `
SELECT 't', i, pg_stat_get_tuples_inserted(o), pg_stat_get_tuples_updated(o), pg_stat_get_tuples_deleted(o),
       coalesce(pg_stat_get_tuples_inserted(t), 0), coalesce(pg_stat_get_tuples_updated(t), 0), coalesce(pg_stat_get_tuples_deleted(t), 0),
       pg_stat_get_vacuum_count(o), pg_relation_size(o) + coalesce(pg_relation_size(nullif(t, 0)), 0)
FROM unnest('%s'::oid[], '%s'::oid[]) WITH ORDINALITY AS x(o, t, i) WHERE pg_stat_get_tuples_inserted(o) > 0
UNION ALL
SELECT 's', i, pg_stat_get_blocks_fetched(o), 0, 0, 0, 0, 0, 0, 0
FROM unnest('%s'::oid[]) WITH ORDINALITY AS x(o, i) WHERE pg_stat_get_blocks_fetched(o) > 0`

// newWarden connects to a cell as superuser.
func newWarden(ctx context.Context, url string, facts *golden.Facts, major int, counts string) (*warden, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	for name, value := range wardenSettings {
		config.RuntimeParams[name] = value
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	w := &warden{conn: conn, facts: facts, major: major, counts: counts}
	if err := w.prepare(ctx); err != nil {
		conn.Close(ctx)
		return nil, err
	}
	return w, nil
}

func (w *warden) prepare(ctx context.Context) error {
	var tables, toasts, sequences []string
	for _, t := range w.facts.Tables {
		tables = append(tables, fmt.Sprint(t.OID))
		toasts = append(toasts, fmt.Sprint(t.Toast))
	}
	for _, s := range w.facts.Sequences {
		sequences = append(sequences, fmt.Sprint(s.OID))
	}
	list := func(oids []string) string { return "{" + strings.Join(oids, ",") + "}" }
	p := w.conn.PgConn().StartPipeline(ctx)
	p.SendPrepare(renameStatement, renameSQL, nil)
	p.SendPrepare(lookStatement, fmt.Sprintf(lookSQL, w.counts), nil)
	p.SendPrepare(rowsStatement, fmt.Sprintf(rowsSQL, list(tables), list(toasts), list(sequences)), nil)
	if err := p.Sync(); err != nil {
		return err
	}
	for range 4 {
		if _, err := p.GetResults(); err != nil {
			p.Close()
			return err
		}
	}
	return p.Close()
}

// sight is what the warden sees of a cell.
type sight struct {
	others   []int    // processes that are not the cell's own
	inTheWay int64    // things that keep the cell from being used again
	rows     [3]int64 // inserted, updated, deleted, in all tables of the database
	settings string   // parameters of roles in all databases, and of the database
	tables   map[int]tableSight
	sequence map[int]int64 // blocks fetched
}

// tableSight holds the counters of one table.
type tableSight struct {
	rows    [3]int64
	toast   [3]int64
	vacuums int64
	size    int64 // bytes, with the TOAST table
}

// rename gives the database its next name and returns the transaction that did; "" where somebody has altered the database.
func (w *warden) rename(ctx context.Context, c *cell, name string) (string, error) {
	r := w.conn.PgConn().ExecPrepared(ctx, renameStatement, [][]byte{[]byte(name), oid(c.oid), []byte(c.xmin)}, nil, nil).Read()
	if r.Err != nil || len(r.Rows) == 0 {
		return "", r.Err
	}
	return string(r.Rows[0][0]), nil
}

func oid(n uint32) []byte { return strconv.AppendUint(nil, uint64(n), 10) }

// look sees what is in the cell; own are processes that belong there.
func (w *warden) look(ctx context.Context, c *cell, own []uint32) (*sight, error) {
	pids := []string{fmt.Sprint(w.conn.PgConn().PID())}
	for _, pid := range own {
		pids = append(pids, fmt.Sprint(pid))
	}
	p := w.conn.PgConn().StartPipeline(ctx)
	p.SendQueryPrepared(lookStatement, [][]byte{oid(c.oid), []byte("{" + strings.Join(pids, ",") + "}")}, nil, nil)
	p.SendQueryPrepared(rowsStatement, nil, nil, nil)
	err := p.Sync()
	var results [2]*pgconn.Result
	for i := range results {
		var got any
		if err != nil {
			break
		}
		if got, err = p.GetResults(); err == nil {
			results[i] = got.(*pgconn.ResultReader).Read()
			err = results[i].Err
		}
	}
	if closing := p.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, err
	}
	return parseSight(results[0].Rows[0], results[1].Rows)
}

func parseSight(look [][]byte, rows [][][]byte) (*sight, error) {
	s := &sight{settings: string(look[1]), tables: map[int]tableSight{}, sequence: map[int]int64{}}
	var bad error
	number := func(b []byte) int64 {
		n, err := strconv.ParseInt(string(b), 10, 64)
		bad = errors.Join(bad, err)
		return n
	}
	if len(look[0]) > 0 {
		for _, pid := range strings.Split(string(look[0]), ",") {
			s.others = append(s.others, int(number([]byte(pid))))
		}
	}
	s.inTheWay = number(look[2])
	s.rows = [3]int64{number(look[3]), number(look[4]), number(look[5])}
	for _, r := range rows {
		i := int(number(r[1])) - 1
		if r[0][0] == 's' {
			s.sequence[i] = number(r[2])
			continue
		}
		t := tableSight{vacuums: number(r[8]), size: number(r[9])}
		for k := range 3 {
			t.rows[k], t.toast[k] = number(r[2+k]), number(r[5+k])
		}
		s.tables[i] = t
	}
	return s, bad
}

// unaccounted reports whether rows changed in a table that cannot be emptied: a catalog, one with rows in the template, a large object. The counters of
// the whole database, which count every table, differ from the sum of those that can be emptied then.
func (s *sight) unaccounted() bool {
	sum := s.rows
	for _, t := range s.tables {
		for k := range sum {
			sum[k] -= t.rows[k] + t.toast[k]
		}
	}
	return sum != [3]int64{}
}

// grownTo is the size of a table, in bytes, from which on a new clone is better than what cleaning would leave of its indexes.
const grownTo = 32 * pageSize

// grown reports whether a table has grown beyond what is worth cleaning.
func (s *sight) grown() bool {
	for _, t := range s.tables {
		if t.size > grownTo {
			return true
		}
	}
	return false
}

// work is what makes a cell like new.
type work struct {
	empty     []int // tables
	vacuum    []int // tables
	sequences []int
}

// vacuumAfter is the number of rows after whose removal a table is vacuumed: before its first page fills with what is left of them.
const vacuumAfter = 100

// pageSize is the size of a page of PostgreSQL, BLCKSZ, as all packages have it.
const pageSize = 8192

// plan tells what has changed since the sight before.
func (s *sight) plan(c *cell) (w work) {
	for i, t := range s.tables {
		before := c.seen.tables[i]
		inserted, updated := t.rows[0]-before.rows[0], t.rows[1]-before.rows[1]
		if inserted > 0 || updated > 0 {
			w.empty = append(w.empty, i)
			c.dead[i] += inserted
		}
		// After updates, pruning frees slots in the midst of a page, which rows of a later test would fill out of order. (A deleted
		// row's slot stays taken until a vacuum.) On more than one page, the map of free space may send rows to an earlier page.
		if updated > 0 || t.vacuums > before.vacuums || t.size > pageSize || c.dead[i] > vacuumAfter {
			w.vacuum = append(w.vacuum, i)
			c.dead[i] = 0
		}
	}
	for i, fetched := range s.sequence {
		if fetched != c.seen.sequence[i] {
			w.sequences = append(w.sequences, i)
		}
	}
	slices.Sort(w.vacuum) // for a lock order that is always the same
	return w
}

// clean does the work.
func (w *warden) clean(ctx context.Context, do work) error {
	var b pgx.Batch
	for _, i := range do.empty {
		b.Queue("DELETE FROM ONLY " + w.facts.Tables[i].Name)
	}
	if len(do.sequences) > 0 {
		var oids []uint32
		var lasts []int64
		var called []bool
		for _, i := range do.sequences {
			s := w.facts.Sequences[i]
			oids, lasts, called = append(oids, s.OID), append(lasts, s.Last), append(called, s.Called)
		}
		b.Queue("SELECT setval(o::regclass, l, c) FROM unnest($1::oid[], $2::int8[], $3::bool[]) AS x(o, l, c)", oids, lasts, called)
	}
	if b.Len() > 0 {
		if err := w.conn.SendBatch(ctx, &b).Close(); err != nil {
			return fmt.Errorf("empty what the test filled: %w", err)
		}
	}
	if len(do.vacuum) == 0 {
		return nil
	}
	var names []string
	for _, i := range do.vacuum {
		names = append(names, w.facts.Tables[i].Name)
	}
	options := "TRUNCATE, INDEX_CLEANUP ON, PARALLEL 0"
	if w.major >= 16 {
		options += ", SKIP_DATABASE_STATS"
	}
	sql := "VACUUM (" + options + ") " + strings.Join(names, ", ")
	if _, err := w.conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
		return fmt.Errorf("vacuum what the test filled: %w", err)
	}
	return nil
}

func (w *warden) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	w.conn.Close(ctx)
	w.release()
}
