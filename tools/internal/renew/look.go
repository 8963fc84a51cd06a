package renew

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/facts"
)

// counters are what the server counts in a database, and what else tells of changes.
type counters struct {
	rows      [3]int64 // inserted, updated, deleted, in all tables of the database
	tables    map[int]tableCounters
	sequences map[int]int64 // blocks fetched: whoever uses a sequence reads its block
	others    bool          // a table that is none of tables was vacuumed or analyzed
	obstacles int64         // things that keep the database from being used again
	roles     string        // parameters of roles in all databases
	own       string        // see [Database], as the following
	started   string
	reset     string
	given     int64
}

// tableCounters are those of one table of [facts.Template].
type tableCounters struct {
	rows    [3]int64
	toast   [3]int64
	vacuums int64 // and ANALYZEs
	size    int64 // bytes, with the TOAST table
}

// lookSQL gives, for database $1, what is not about one table: the number of obstacles (a comment on it, prepared
// transactions, replication slots), the counters of all its rows and what they rest on, and parameters.
func (t *Template) lookSQL() string {
	obstacles := "(SELECT count(*) FROM pg_shdescription WHERE objoid = $1 AND classoid = 1262)"
	if t.Prepared {
		obstacles += " + (SELECT count(*) FROM pg_prepared_xact() WHERE dbid = $1)"
	}
	if t.Slots {
		obstacles += " + (SELECT count(*) FROM pg_get_replication_slots() WHERE datoid = $1)"
	}
	return "SELECT " + obstacles + ", pg_stat_get_db_tuples_inserted($1), pg_stat_get_db_tuples_updated($1)," +
		" pg_stat_get_db_tuples_deleted($1), " + StartedCounting + ", " + fmt.Sprintf(lastReset, "$1") + ", " + parametersGiven +
		", " + facts.RoleSettings + ", " + facts.DatabaseSettings("$1")
}

// tablesSQL gives the counters of each table of database $1 whose rows were ever changed, or that was vacuumed or analyzed,
// with those of its TOAST table; of each sequence that was ever looked at; and of each other table that was vacuumed or
// analyzed, which is written to pg_class in place. Of most tables nothing was ever counted, and to ask that first is one
// search in the shared table of counters in place of three.
func (t *Template) tablesSQL() string {
	var tables, toasts, sequences []uint32
	for _, one := range t.Facts.Tables {
		tables, toasts = append(tables, one.OID), append(toasts, one.Toast)
	}
	for _, s := range t.Facts.Sequences {
		sequences = append(sequences, s.OID)
	}
	const vacuums = "pg_stat_get_vacuum_count(o) + pg_stat_get_analyze_count(o)"
	return fmt.Sprintf(`
SELECT 't', i, pg_stat_get_tuples_inserted(o), pg_stat_get_tuples_updated(o), pg_stat_get_tuples_deleted(o),
       coalesce(pg_stat_get_tuples_inserted(t), 0), coalesce(pg_stat_get_tuples_updated(t), 0), coalesce(pg_stat_get_tuples_deleted(t), 0),
       `+vacuums+`, pg_relation_size(o) + coalesce(pg_relation_size(nullif(t, 0)), 0)
FROM unnest('%s'::oid[], '%s'::oid[]) WITH ORDINALITY AS x(o, t, i)
WHERE pg_stat_have_stats('relation', $1, o::int8)
  AND pg_stat_get_tuples_inserted(o) + pg_stat_get_tuples_updated(o) + pg_stat_get_tuples_deleted(o) + `+vacuums+` > 0
UNION ALL
SELECT 's', i, pg_stat_get_blocks_fetched(o), 0, 0, 0, 0, 0, 0, 0
FROM unnest('%s'::oid[]) WITH ORDINALITY AS x(o, i) WHERE pg_stat_get_blocks_fetched(o) > 0
UNION ALL
SELECT 'o', i, 0, 0, 0, 0, 0, 0, 0, 0
FROM unnest('%s'::oid[]) WITH ORDINALITY AS x(o, i)
WHERE pg_stat_have_stats('relation', $1, o::int8) AND `+vacuums+` > 0`, array(tables), array(toasts), array(sequences), array(t.Facts.Others))
}

func (c *Cleaner) sendLook(p *pgconn.Pipeline, d *Database) {
	p.SendQueryPrepared(lookStatement, [][]byte{oid(d.OID)}, nil, nil)
	p.SendQueryPrepared(tablesStatement, [][]byte{oid(d.OID)}, nil, nil)
}

// parse reads the results of lookSQL and tablesSQL.
func parse(looked []*pgconn.Result) (*counters, error) {
	look := looked[0].Rows[0]
	s := &counters{
		started: string(look[4]), reset: string(look[5]), roles: string(look[7]), own: string(look[8]),
		tables: map[int]tableCounters{}, sequences: map[int]int64{},
	}
	var bad error
	number := func(b []byte) int64 {
		n, err := strconv.ParseInt(string(b), 10, 64)
		bad = errors.Join(bad, err)
		return n
	}
	s.obstacles, s.given = number(look[0]), number(look[6])
	s.rows = [3]int64{number(look[1]), number(look[2]), number(look[3])}
	for _, r := range looked[1].Rows {
		i := int(number(r[1])) - 1
		switch r[0][0] {
		case 's':
			s.sequences[i] = number(r[2])
			continue
		case 'o':
			s.others = true
			continue
		}
		t := tableCounters{vacuums: number(r[8]), size: number(r[9])}
		for k := range 3 {
			t.rows[k], t.toast[k] = number(r[2+k]), number(r[5+k])
		}
		s.tables[i] = t
	}
	return s, bad
}

// Reasons to drop a database that concern more than that database.
const (
	Crashed    = "the server has crashed, and what was counted before is lost"
	Parameters = "ALTER DATABASE SET or ALTER ROLE SET"
)

// judge says why a database cannot be made like new.
func (c *Cleaner) judge(ctx context.Context, d *Database, now *counters) (reason string, err error) {
	switch {
	case now.started != d.Started:
		return Crashed, nil
	case now.reset != d.reset || now.wentDown(&d.seen):
		return "counters were reset", nil
	case now.obstacles > 0:
		return "a comment on the database, a prepared transaction or a replication slot", nil
	case now.unaccounted(d.classes):
		where, err := c.changed(ctx)
		return "rows changed where they cannot be put back: " + where, err
	case now.others:
		return "VACUUM or ANALYZE of a partitioned table, or of one with many rows in the template", nil
	case now.large():
		return "a table has grown large", nil
	case now.roles != c.template.Facts.Roles || now.own != d.own:
		return Parameters, nil
	case now.given != d.given:
		return "some test of the process has set a parameter of its database or role, and connections may have it", nil
	}
	return "", nil
}

// unaccounted reports whether rows changed in a table that cannot be emptied: a catalog, one with many rows in the
// template, a large object. The counters of the whole database, which count every table, differ from the sum of those that
// can be emptied then. classes are rows of pg_class that Cleaners have updated.
func (s *counters) unaccounted(classes int64) bool {
	sum := s.rows
	sum[1] -= classes
	for _, t := range s.tables {
		for k := range sum {
			sum[k] -= t.rows[k] + t.toast[k]
		}
	}
	return sum != [3]int64{}
}

// wentDown reports whether a counter is lower than it was: somebody has set it back.
func (s *counters) wentDown(before *counters) bool {
	down := func(now, before [3]int64) bool {
		return now[0] < before[0] || now[1] < before[1] || now[2] < before[2]
	}
	for i, was := range before.tables {
		now := s.tables[i]
		if down(now.rows, was.rows) || down(now.toast, was.toast) || now.vacuums < was.vacuums {
			return true
		}
	}
	for i, was := range before.sequences {
		if s.sequences[i] < was {
			return true
		}
	}
	return down(s.rows, before.rows)
}

// most is the size of a table, in bytes, from which on a new clone costs less than to empty it.
const most = 256 << 10

func (s *counters) large() bool {
	for _, t := range s.tables {
		if t.size > most {
			return true
		}
	}
	return false
}

// changedSQL names tables, but for those in $1 and the catalogs, in which rows were changed since the clone was made.
const changedSQL = `
SELECT coalesce(string_agg(c.oid::regclass::text, ', ' ORDER BY c.oid), 'catalogs, as DDL does, or large objects') FROM pg_class c
WHERE c.relkind IN ('r', 'm') AND c.oid >= 16384 AND c.oid <> ALL ($1::text::oid[])
  AND pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid) > 0`

// changed says in which tables rows were changed that nobody can put back.
func (c *Cleaner) changed(ctx context.Context) (where string, err error) {
	var oids []uint32
	for _, t := range c.template.Facts.Tables {
		oids = append(oids, t.OID)
	}
	if err := c.conn.QueryRow(ctx, changedSQL, string(array(oids))).Scan(&where); err != nil {
		return "", fmt.Errorf("name the tables that were changed: %w", err)
	}
	return where, nil
}
