package renew

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/facts"
)

// setvalSQL sets sequences back.
const setvalSQL = "SELECT setval(o::regclass, l, c) FROM unnest($1::oid[], $2::int8[], $3::bool[]) AS x(o, l, c)"

// deleteSQL takes what tests inserted out of a table: of one with rows in the template, what transactions since then did.
func deleteSQL(t facts.Table, first int64) string {
	sql := "DELETE FROM ONLY " + t.Name + " AS pgcell"
	if t.Seeds > 0 {
		sql += fmt.Sprintf(" WHERE pgcell.xmin::text::int8 >= %d", first)
	}
	return sql
}

// clean empties the tables that the test has touched, sets sequences back, and has the planner see the tables as before:
// all in one round trip. It adds to now what it has counted itself. reason says why the result is not as a new clone.
func (c *Cleaner) clean(ctx context.Context, d *Database, now *counters) (reason string, err error) {
	tables, sequences := c.touched(d, now)
	if len(tables)+len(sequences) == 0 {
		return "", nil
	}
	blocks := c.template.blocks(tables)
	p := c.conn.PgConn().StartPipeline(ctx)
	c.sendDeletes(p, tables)
	c.sendSetval(p, sequences)
	p.SendPipelineSync()
	p.SendQueryParams(c.template.vacuumSQL(tables, now.toasted(&d.seen)), nil, nil, nil, nil)
	p.SendPipelineSync() // VACUUM has a transaction of its own
	c.sendCheck(p, tables)
	c.sendClasses(p, blocks)
	var results [3][]*pgconn.Result
	if err = p.Sync(); err == nil {
		for i := range results {
			var failed error
			results[i], failed = segment(p)
			err = errors.Join(err, failed)
		}
	}
	if closing := p.Close(); err == nil {
		err = closing
	}
	if err != nil {
		clear(c.deletes) // whether they are prepared is not known
		return "", fmt.Errorf("take away what the test left: %w", err)
	}
	c.count(now, tables, sequences, results[0])
	if reason = c.template.left(tables, results[2]); reason != "" {
		return reason, nil
	}
	written, err := ensureAllInOrder(blocks, results[2][len(results[2])-len(blocks):])
	d.classes += written
	return "", err
}

// count adds to counters what clean itself has counted.
func (c *Cleaner) count(now *counters, tables, sequences []int, deleted []*pgconn.Result) {
	for k, i := range tables {
		t := now.tables[i]
		n := deleted[k].CommandTag.RowsAffected()
		t.rows[2], now.rows[2] = t.rows[2]+n, now.rows[2]+n
		t.vacuums++
		now.tables[i] = t
	}
	for _, i := range sequences {
		now.sequences[i]++ // setval reads a block
	}
}

// touched lists the tables that were written to, vacuumed or analyzed since the last test, and the sequences that were
// used.
func (c *Cleaner) touched(d *Database, now *counters) (tables, sequences []int) {
	for i, t := range now.tables {
		if before := d.seen.tables[i]; t.rows != before.rows || t.vacuums != before.vacuums {
			tables = append(tables, i)
		}
	}
	for i, fetched := range now.sequences {
		if fetched != d.seen.sequences[i] {
			sequences = append(sequences, i)
		}
	}
	slices.Sort(tables) // for a lock order that is always the same
	return tables, sequences
}

func (c *Cleaner) sendDeletes(p *pgconn.Pipeline, tables []int) {
	for _, i := range tables {
		if c.deletes[i] == "" {
			c.deletes[i] = fmt.Sprint("pgcell_delete_", i)
			p.SendPrepare(c.deletes[i], deleteSQL(c.template.Facts.Tables[i], c.template.Facts.First), nil)
		}
		p.SendQueryPrepared(c.deletes[i], nil, nil, nil)
	}
}

func (c *Cleaner) sendSetval(p *pgconn.Pipeline, sequences []int) {
	if len(sequences) == 0 {
		return
	}
	var oids []uint32
	var lasts []int64
	var called []bool
	for _, i := range sequences {
		s := c.template.Facts.Sequences[i]
		oids, lasts, called = append(oids, s.OID), append(lasts, s.Last), append(called, s.Called)
	}
	p.SendQueryPrepared(setvalStatement, [][]byte{array(oids), array(lasts), array(called)}, nil, nil)
}

// vacuumSQL takes away what is dead in tables, and, if toasted is set, in their TOAST tables: a table without rows is left
// without a page, as in a new clone.
func (t *Template) vacuumSQL(tables []int, toasted bool) string {
	if len(tables) == 0 {
		return "SELECT"
	}
	options := "TRUNCATE, INDEX_CLEANUP ON, PARALLEL 0"
	if !toasted {
		options += ", PROCESS_TOAST OFF"
	}
	var names []string
	for _, i := range tables {
		name := t.Facts.Tables[i].Name
		if t.Major >= 18 { // earlier ones know no other way, nor the word
			name = "ONLY " + name
		}
		names = append(names, name)
		if t.Facts.Tables[i].Seeds > 0 && !strings.HasPrefix(options, "FREEZE") {
			options = "FREEZE, " + options // as its rows are in the template, and pg_class says
		}
	}
	if t.Major >= 16 {
		options += ", SKIP_DATABASE_STATS"
	}
	return "VACUUM (" + options + ") " + strings.Join(names, ", ")
}

// toasted reports whether anything was written to a TOAST table since the last test.
func (s *counters) toasted(before *counters) bool {
	for i, t := range s.tables {
		if t.toast != before.tables[i].toast {
			return true
		}
	}
	return false
}

// grownSQL names those of the tables and indexes in $1 that are larger than $2, which they may be without the test's rows.
const grownSQL = "SELECT o::regclass || ' has grown' FROM unnest($1::oid[], $2::int8[]) AS x (o, size) WHERE pg_relation_size(o) > size"

// sendCheck asks what differs in tables from a new clone, after their rows have been taken out: pages that are left,
// indexes that keep a shape that the test's rows gave them, and rows of the template that are gone.
func (c *Cleaner) sendCheck(p *pgconn.Pipeline, tables []int) {
	var oids []uint32
	var sizes []int64
	for _, i := range tables {
		t := c.template.Facts.Tables[i]
		oids, sizes = append(oids, t.OID), append(sizes, t.Size)
		for _, tree := range t.Trees {
			oids, sizes = append(oids, tree.OID), append(sizes, tree.Size)
		}
	}
	p.SendQueryPrepared(grownStatement, [][]byte{array(oids), array(sizes)}, nil, nil)
	for _, i := range tables {
		if t := c.template.Facts.Tables[i]; t.Seeds > 0 {
			p.SendQueryParams("SELECT count(*) FROM ONLY "+t.Name, nil, nil, nil, nil)
		}
	}
}

// left says what the results of sendCheck tell.
func (t *Template) left(tables []int, results []*pgconn.Result) (reason string) {
	if rows := results[0].Rows; len(rows) > 0 {
		return string(rows[0][0])
	}
	next := 1
	for _, i := range tables {
		one := t.Facts.Tables[i]
		if one.Seeds == 0 {
			continue
		}
		if string(results[next].Rows[0][0]) != fmt.Sprint(one.Seeds) {
			return "rows that " + one.Name + " has in the template were updated or deleted"
		}
		next++
	}
	return ""
}
