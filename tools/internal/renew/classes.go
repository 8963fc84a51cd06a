package renew

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/facts"
)

// classSQL writes new versions of all rows on one page of pg_class, those from $1 to before $2, in which the template's
// sizes and numbers of rows are back: a vacuum wrote others in place. All of the page's rows lie in the order in which
// they lay, and so a list of tables without ORDER BY stays as it is. The template has room for that, see
// [facts.Class]; what was there before goes when the page is next read.
func classSQL(template *facts.Template) string {
	var oids, pages, tuples []string
	for _, t := range template.Tables {
		for _, one := range t.Classes {
			oids = append(oids, fmt.Sprint(one.OID))
			pages = append(pages, fmt.Sprint(one.Pages))
			tuples = append(tuples, fmt.Sprint(one.Tuples))
		}
	}
	value := func(column, kind string, values []string) string {
		return fmt.Sprintf("%s = coalesce(('{%s}'::%s[])[array_position('{%s}'::oid[], oid)], %s)",
			column, strings.Join(values, ","), kind, strings.Join(oids, ","), column)
	}
	return "UPDATE pg_class SET " + value("relpages", "int4", pages) + ", " + value("reltuples", "float4", tuples) +
		" WHERE ctid >= $1::tid AND ctid < $2::tid RETURNING ctid"
}

// blocks lists the pages of pg_class on which the rows of tables lie that a vacuum writes to.
func (t *Template) blocks(tables []int) (blocks []uint32) {
	for _, i := range tables {
		for _, one := range t.Facts.Tables[i].Classes {
			blocks = append(blocks, one.Block)
		}
	}
	slices.Sort(blocks)
	return slices.Compact(blocks)
}

// sendClasses has the planner see tables, which have been vacuumed, as it saw them before.
func (c *Cleaner) sendClasses(p *pgconn.Pipeline, blocks []uint32) {
	for _, b := range blocks {
		p.SendQueryPrepared(classStatement, [][]byte{fmt.Appendf(nil, "(%d,0)", b), fmt.Appendf(nil, "(%d,0)", b+1)}, nil, nil)
	}
}

// ensureAllInOrder looks at the results of sendClasses, and gives how many rows of pg_class have a new version.
//
// Errors: there was no room for that where the rows are.
func ensureAllInOrder(blocks []uint32, results []*pgconn.Result) (written int64, err error) {
	for k, b := range blocks {
		if err := ensureInOrder(b, results[k].Rows); err != nil {
			return 0, fmt.Errorf("have the planner forget a vacuum: %w", err)
		}
		written += int64(len(results[k].Rows))
	}
	return written, nil
}

// ensureInOrder asserts that rows, in the order of their earlier versions, lie on one page and in that order.
func ensureInOrder(block uint32, rows [][][]byte) error {
	before := 0
	for _, r := range rows {
		var at uint32
		var line int
		if _, err := fmt.Sscanf(string(r[0]), "(%d,%d)", &at, &line); err != nil {
			return err
		}
		if at != block || line <= before {
			return fmt.Errorf("page %d of pg_class has no room for new versions of its rows", block)
		}
		before = line
	}
	return nil
}
