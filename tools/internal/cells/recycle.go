package cells

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// warden is a superuser's connection into a cell, which looks what a test has changed and makes the cell like new.
type warden struct {
	conn     *pgx.Conn
	facts    *golden.Facts
	major    int            // version of the server
	prepared map[int]string // the statement that empties a table
	names    int            // of such statements so far
	restored map[int]int64  // the cell's
	counts   string         // what lookSQL counts besides
	daemons  []byte         // see quickSQL; nil where othersSQL is used alone
	release  func()         // gives its place among the connections back
}

// wardenSettings: triggers, rules and foreign keys of the ordinary kind do not fire on what the warden deletes;
// counters are read as they are now.
var wardenSettings = map[string]string{
	"session_replication_role": "replica", "stats_fetch_consistency": "none", "application_name": "pgcell warden", "client_min_messages": "error",
	// A session that a test left may hold locks: it is ended first then.
	"lock_timeout": "200ms",
}

// Names of the warden's prepared statements.
const (
	renameStatement = "pgcell_rename"
	lookStatement   = "pgcell_look"
	othersStatement = "pgcell_others"
	quickStatement  = "pgcell_quick"
	rowsStatement   = "pgcell_rows"
	setvalStatement = "pgcell_setval"
	classStatement  = "pgcell_class"
)

// renameSQL gives the database a new name, if nobody has altered the database ($3 is the transaction that wrote its
// row), and has the warden's own counters known.
const renameSQL = "UPDATE pg_database SET datname = $1 WHERE oid = $2 AND xmin::text = $3 RETURNING xmin, pg_stat_force_next_flush()"

// lookSQL gives, for database $1: parameters that it or, in all databases, a role was given; how many things are in the
// way of using it again (a comment on it, and what %s stands for); the counters of all its rows, since when there are
// any, and those of parameters.
var lookSQL = `
SELECT ` + golden.RoleSettings + ` || ` + golden.DatabaseSettings("$1") + `,
       (SELECT count(*) FROM pg_shdescription WHERE objoid = $1 AND classoid = 1262)%s,
       pg_stat_get_db_tuples_inserted($1), pg_stat_get_db_tuples_updated($1), pg_stat_get_db_tuples_deleted($1),
       coalesce(` + countedSince + `, ''), ` + parametersGiven + `, ` + fmt.Sprintf(countersReset, "$1")

// What lookSQL counts where the server allows it at all.
const (
	countPrepared = " + (SELECT count(*) FROM pg_prepared_xact() WHERE dbid = $1)"
	countSlots    = " + (SELECT count(*) FROM pg_get_replication_slots() WHERE datoid = $1)"
)

// rowsSQL gives the counters of each table of database $1 whose rows were ever changed, or that was vacuumed or analyzed,
// with those of its TOAST table; of each sequence that was ever looked at; and of each other table that was vacuumed or
// analyzed, which is written to pg_class in place. Of most tables nothing was ever counted, and to ask that first is one
// search in the shared table of counters in place of three.
const rowsSQL = `
SELECT 't', i, pg_stat_get_tuples_inserted(o), pg_stat_get_tuples_updated(o), pg_stat_get_tuples_deleted(o),
       coalesce(pg_stat_get_tuples_inserted(t), 0), coalesce(pg_stat_get_tuples_updated(t), 0), coalesce(pg_stat_get_tuples_deleted(t), 0),
       pg_stat_get_vacuum_count(o) + pg_stat_get_analyze_count(o), pg_relation_size(o) + coalesce(pg_relation_size(nullif(t, 0)), 0)
FROM unnest('%s'::oid[], '%s'::oid[]) WITH ORDINALITY AS x(o, t, i)
WHERE pg_stat_have_stats('relation', $1, o::int8)
  AND (pg_stat_get_tuples_inserted(o) + pg_stat_get_tuples_updated(o) + pg_stat_get_tuples_deleted(o) > 0
    OR pg_stat_get_vacuum_count(o) > 0 OR pg_stat_get_analyze_count(o) > 0)
UNION ALL
SELECT 's', i, pg_stat_get_blocks_fetched(o), 0, 0, 0, 0, 0, 0, 0
FROM unnest('%s'::oid[]) WITH ORDINALITY AS x(o, i) WHERE pg_stat_get_blocks_fetched(o) > 0
UNION ALL
SELECT 'o', i, 0, 0, 0, 0, 0, 0, 0, 0
FROM unnest('%s'::oid[]) WITH ORDINALITY AS x(o, i)
WHERE pg_stat_have_stats('relation', $1, o::int8) AND (pg_stat_get_vacuum_count(o) > 0 OR pg_stat_get_analyze_count(o) > 0)`

// setvalSQL sets sequences back, and has a look that comes next know of it.
const setvalSQL = "SELECT setval(o::regclass, l, c), pg_stat_force_next_flush() FROM unnest($1::oid[], $2::int8[], $3::bool[]) AS x(o, l, c)"

// newWarden connects to a cell as superuser.
func newWarden(ctx context.Context, name string, cluster *Cluster, facts *golden.Facts) (*warden, error) {
	config := cluster.server.OwnConfig(AdminRole, name).ConnConfig
	for _, some := range []map[string]string{wardenSettings, golden.ContentSettings} {
		maps.Copy(config.RuntimeParams, some)
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	w := &warden{conn: conn, facts: facts, major: cluster.major(), counts: cluster.counts, prepared: map[int]string{}}
	if w.major >= 18 && !cluster.crashed.Load() {
		w.daemons, err = cluster.daemons.know(ctx, cluster.admin)
	}
	if err == nil {
		err = w.prepare(ctx)
	}
	if err != nil {
		conn.Close(ctx)
		return nil, err
	}
	return w, nil
}

func (w *warden) prepare(ctx context.Context) error {
	var tables, toasts, sequences, others []string
	for _, t := range w.facts.Tables {
		tables = append(tables, fmt.Sprint(t.OID))
		toasts = append(toasts, fmt.Sprint(t.Toast))
	}
	for _, s := range w.facts.Sequences {
		sequences = append(sequences, fmt.Sprint(s.OID))
	}
	for _, o := range w.facts.Others {
		others = append(others, fmt.Sprint(o))
	}
	list := func(oids []string) string { return "{" + strings.Join(oids, ",") + "}" }
	_, err := w.ask(ctx, func(p *pgconn.Pipeline) {
		p.SendPrepare(renameStatement, renameSQL, nil)
		p.SendPrepare(othersStatement, othersSQL, nil)
		if w.daemons != nil {
			p.SendPrepare(quickStatement, quickSQL, nil)
		}
		p.SendPrepare(lookStatement, fmt.Sprintf(lookSQL, w.counts), nil)
		p.SendPrepare(rowsStatement, fmt.Sprintf(rowsSQL, list(tables), list(toasts), list(sequences), list(others)), nil)
		p.SendPrepare(setvalStatement, setvalSQL, nil)
		p.SendPrepare(classStatement, classSQL(w.facts), nil)
	})
	return err
}

// ask sends what send does, in one round trip and one transaction, and gives the results.
func (w *warden) ask(ctx context.Context, send func(*pgconn.Pipeline)) (results []*pgconn.Result, err error) {
	p := w.conn.PgConn().StartPipeline(ctx)
	send(p)
	if err = p.Sync(); err == nil {
		results, err = segment(p)
	}
	if closing := p.Close(); err == nil {
		err = closing
	}
	return results, err
}

func oid(n uint32) []byte { return strconv.AppendUint(nil, uint64(n), 10) }

// sweep gives the database its next name, does what is probably to be done, and then looks: all in one round trip. xmin
// is the transaction that renamed it, "" where somebody has altered the database. now is nil where the guess has not
// been done, or somebody was there, or might have been, who could write after it.
func (w *warden) sweep(ctx context.Context, c *cell, name string, own []uint32, guess work, taken takings) (
	xmin string, now *sight, err error,
) {
	p := w.conn.PgConn().StartPipeline(ctx)
	p.SendQueryPrepared(renameStatement, [][]byte{[]byte(name), oid(c.oid), []byte(c.xmin)}, nil, nil)
	p.SendPipelineSync() // committed, so that nobody gets in by the old name, before others are looked for
	w.sendOthers(p, c, own, w.daemons != nil)
	unsure := w.send(p, guess)
	p.SendPipelineSync()
	w.sendLook(p, c)
	err = p.Sync()
	if err == nil {
		var renamed []*pgconn.Result
		if renamed, err = segment(p); err == nil && len(renamed[0].Rows) > 0 {
			xmin = string(renamed[0].Rows[0][0])
		}
	}
	nobody := false
	if err == nil {
		did, failed := segment(p)
		if failed != nil {
			w.forget(unsure)
		} else {
			nobody = len(did[0].Rows) == 0
			err = taken.add(guess.empty, did[1:])
		}
	}
	if err == nil && nobody {
		var looked []*pgconn.Result
		if looked, err = segment(p); err == nil {
			now, err = parseSight(looked)
		}
	}
	if closing := p.Close(); err == nil && nobody { // else what failed in the look does not matter
		err = closing
	}
	return xmin, now, err
}

// look sees what is in the cell. Whoever has gone has had all counted before.
func (w *warden) look(ctx context.Context, c *cell) (now *sight, err error) {
	looked, err := w.ask(ctx, func(p *pgconn.Pipeline) { w.sendLook(p, c) })
	if err != nil {
		return nil, err
	}
	return parseSight(looked)
}

func (w *warden) sendLook(p *pgconn.Pipeline, c *cell) {
	p.SendQueryPrepared(lookStatement, [][]byte{oid(c.oid)}, nil, nil)
	p.SendQueryPrepared(rowsStatement, [][]byte{oid(c.oid)}, nil, nil)
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

// send has tables emptied and sequences set back, in one transaction. unsure are tables whose statement there is only if
// that succeeds.
func (w *warden) send(p *pgconn.Pipeline, do work) (unsure []int) {
	for _, i := range do.empty {
		if w.prepared[i] == "" {
			w.names++
			w.prepared[i] = fmt.Sprint("pgcell_empty_", w.names)
			p.SendPrepare(w.prepared[i], emptySQL(w.facts.Tables[i]), nil)
			unsure = append(unsure, i)
		}
		var first [][]byte
		if w.facts.Tables[i].Seeds > 0 {
			first = [][]byte{strconv.AppendInt(nil, w.first(i), 10)}
		}
		p.SendQueryPrepared(w.prepared[i], first, nil, nil)
	}
	if len(do.sequences) == 0 {
		return unsure
	}
	oids, lasts, called := []byte("{"), []byte("{"), []byte("{")
	for k, i := range do.sequences {
		if k > 0 {
			oids, lasts, called = append(oids, ','), append(lasts, ','), append(called, ',')
		}
		s := w.facts.Sequences[i]
		oids, lasts = strconv.AppendUint(oids, uint64(s.OID), 10), strconv.AppendInt(lasts, s.Last, 10)
		called = strconv.AppendBool(called, s.Called)
	}
	p.SendQueryPrepared(setvalStatement, [][]byte{append(oids, '}'), append(lasts, '}'), append(called, '}')}, nil, nil)
	return unsure
}

// forget has statements prepared again, by other names, since nobody knows which of them there are.
func (w *warden) forget(unsure []int) {
	for _, i := range unsure {
		delete(w.prepared, i)
	}
}

// clean has tables emptied and sequences set back, and waits for it.
func (w *warden) clean(ctx context.Context, do work, taken takings) error {
	if len(do.empty)+len(do.sequences) == 0 {
		return nil
	}
	var unsure []int
	did, err := w.ask(ctx, func(p *pgconn.Pipeline) { unsure = w.send(p, do) })
	if err == nil {
		err = taken.add(do.empty, did)
	}
	if err != nil {
		w.forget(unsure)
		return fmt.Errorf("empty what the test filled: %w", err)
	}
	return nil
}

// vacuum takes away what is dead in tables.
func (w *warden) vacuum(ctx context.Context, tables []int) error {
	if len(tables) == 0 {
		return nil
	}
	var names []string
	options := "TRUNCATE, INDEX_CLEANUP ON, PARALLEL 0"
	for _, i := range tables {
		name := w.facts.Tables[i].Name
		if w.major >= 18 { // earlier ones know no other way, nor the word
			name = "ONLY " + name
		}
		names = append(names, name)
		if w.facts.Tables[i].Seeds > 0 && !strings.HasPrefix(options, "FREEZE") {
			options = "FREEZE, " + options // as its rows are in the template, and pg_class says
		}
	}
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
