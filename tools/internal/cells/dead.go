package cells

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// emptySQL takes what tests inserted out of a table, of a seeded one what transactions from $1 on did, and gives the
// size of each row. A whole row as a value has the layout that it has on its page, but for virtual columns, which its
// page has not.
func emptySQL(t golden.Table) string {
	which := ""
	if t.Seeds > 0 {
		which = " WHERE pgcell.xmin::text::int8 >= $1"
	}
	row := "pgcell.*"
	if t.Stored != nil {
		row = "ROW(" + strings.Join(t.Stored, ", ") + ")"
	}
	return "DELETE FROM ONLY " + t.Name + " AS pgcell" + which + " RETURNING pg_column_size(" + row + ")"
}

// gone is what emptying a table took out of it.
type gone struct {
	rows  int64
	bytes int64 // that it still takes of the table's pages, until a vacuum
}

// Of a page, by PostgreSQL's src/include/storage/bufpage.h: what rows may take, and what each takes besides its data.
const (
	pageSize    = 8192 // BLCKSZ, as all packages have it
	room        = pageSize - 24
	linePointer = 4
	alignment   = 8
)

// add reads what statements of emptySQL gave.
func (g *gone) add(rows [][][]byte) error {
	for _, r := range rows {
		size, err := strconv.ParseInt(string(r[0]), 10, 64)
		if err != nil {
			return err
		}
		g.rows++
		g.bytes += (size+alignment-1)/alignment*alignment + linePointer
	}
	return nil
}

// takings are what was taken out of tables, by their index.
type takings map[int]gone

// add reads the results of emptying tables, which come first among results.
func (all takings) add(tables []int, results []*pgconn.Result) error {
	for k, i := range tables {
		g := all[i]
		if err := g.add(results[k].Rows); err != nil {
			return err
		}
		all[i] = g
	}
	return nil
}

// stale gives the tables to vacuum, and notes what is left dead in the others.
//
// Rows that lie in the order in which they were inserted lie as in a new clone, wherever they are. The new version of
// an updated row comes last in a new clone, but elsewhere where dead rows have made a page fill early: pruning then
// makes room on it. So dead rows may take of a page only what the next test will not need: it is given a quarter of it, and
// twice what any test has yet put there.
func (c *cell) stale(now *sight, taken takings) (tables []int) {
	for i, t := range now.tables {
		before, facts := c.seen.tables[i], c.pool.facts.Tables[i]
		inserted, updated := t.rows[0]-before.rows[0], t.rows[1]-before.rows[1]
		vacuumed := t.vacuums > before.vacuums
		c.dead[i] += taken[i].bytes
		most := c.pool.largest(i, inserted+updated, taken[i], vacuumed)
		// A seeded table's page is to be as it was at once.
		if facts.Seeds > 0 {
			if t.rows != before.rows || vacuumed {
				tables = append(tables, i)
			}
			continue
		}
		// After updates, pruning frees slots in the midst of a page, which rows of a later test would fill out of
		// order. (A deleted row's slot stays taken until a vacuum.) On more than one page, the map of free space may
		// send rows to an earlier page. What the test deleted or rolled back is dead too, and nobody knows how large.
		if facts.Remembers && inserted > 0 || updated > 0 || vacuumed || t.size > pageSize || inserted != taken[i].rows ||
			crowded(c.dead[i], most) {
			tables = append(tables, i)
			c.dead[i] = 0
		}
	}
	slices.Sort(tables) // for a lock order that is always the same
	return tables
}

// filling is the most that tests have put into a table.
type filling struct {
	rows    int64 // and new versions of rows, also rolled back ones
	size    int64 // of a row, bytes, in the test whose rows were the largest
	bytes   int64 // of all rows that were there at a test's end
	vacuums bool  // some test vacuums or analyzes the table itself
}

// largest gives the bytes that a test may put into a table, as far as tests so far tell, the one included that wrote
// so many rows, of which those in left were there at its end. A test that vacuums by itself wants the whole page: the
// slots of what was dead before would come free in front of its own rows.
func (p *pool) largest(table int, wrote int64, left gone, vacuums bool) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.filled == nil {
		p.filled = map[int]filling{}
	}
	f := p.filled[table]
	f.rows, f.bytes, f.vacuums = max(f.rows, wrote), max(f.bytes, left.bytes), f.vacuums || vacuums
	if left.rows > 0 {
		f.size = max(f.size, left.bytes/left.rows)
	}
	p.filled[table] = f
	return f.most()
}

func (f filling) most() int64 {
	if f.vacuums {
		return room
	}
	return max(f.bytes, f.rows*f.size)
}

// crowded reports whether dead rows take of a page what a test may want that is expected to put so much there.
func crowded(dead, most int64) bool { return dead > 0 && dead+max(room/4, 2*most) > room }

// outgrown lists the tables of a ready cell that are to be vacuumed after all, for what tests have put into them
// meanwhile. Call it with the lock held.
func (p *pool) outgrown(c *cell) (tables []int) {
	for i, dead := range c.dead {
		if crowded(dead, p.filled[i].most()) {
			tables = append(tables, i)
		}
	}
	slices.Sort(tables)
	return tables
}

// tidy takes away what is dead in some tables of a ready cell.
func (c *cell) tidy(ctx context.Context, tables []int) error {
	if reason := c.needWarden(ctx); reason != "" {
		return errors.New(reason)
	}
	if err := c.warden.vacuum(ctx, tables); err != nil {
		return err
	}
	written, err := c.warden.putBackClasses(ctx, tables)
	if err != nil {
		return err
	}
	c.classes += written
	c.seen.count(work{vacuum: tables})
	for _, i := range tables {
		c.dead[i] = 0
	}
	return nil
}

// grown says which index of some tables, out of which a test's rows have been taken, keeps a shape that these gave it.
func (w *warden) grown(ctx context.Context, tables []int) (reason string, err error) {
	var trees []string
	for _, i := range tables {
		for _, t := range w.facts.Tables[i].Trees {
			trees = append(trees, fmt.Sprintf("(%d, %d)", t.OID, t.Size))
		}
	}
	if len(trees) == 0 {
		return "", nil
	}
	sql := "SELECT coalesce(min(format('index %s has grown', oid::oid::regclass)), '') FROM (VALUES " + strings.Join(trees, ", ") +
		") AS t (oid, size) WHERE pg_relation_size(oid) > size"
	if err := w.conn.QueryRow(ctx, sql).Scan(&reason); err != nil {
		return "", fmt.Errorf("measure indexes: %w", err)
	}
	return reason, nil
}
