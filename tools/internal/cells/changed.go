package cells

import (
	"context"
	"fmt"
	"strings"
)

// changedSQL names tables, but for those in %s and the catalogs, in which rows were changed since the cell was cloned.
const changedSQL = `
SELECT string_agg(c.oid::regclass::text, ', ' ORDER BY c.oid) FROM pg_class c
WHERE c.relkind IN ('r', 'm') AND c.oid >= 16384 AND c.oid <> ALL ('{%s}')
  AND pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid) > 0`

// changed says in which tables rows were changed that nobody can put back.
func (w *warden) changed(ctx context.Context) (where string, err error) {
	var oids []string
	for _, t := range w.facts.Tables {
		oids = append(oids, fmt.Sprint(t.OID))
	}
	var names *string
	if err := w.conn.QueryRow(ctx, fmt.Sprintf(changedSQL, strings.Join(oids, ","))).Scan(&names); err != nil {
		return "", fmt.Errorf("name the tables that were changed: %w", err)
	}
	if names == nil {
		return "catalogs, as DDL does, or large objects", nil
	}
	return *names, nil
}

// told is how many cells in a row are dropped before the user is told: each costs its test a clone.
const told = 20

// tellOfDrops warns once where no cell is used again though cells might be. Call it with the lock held.
func (p *pool) tellOfDrops(reason, test string) {
	if p.discard() != "" || p == &p.cluster.empty {
		return // as somebody has chosen, or the template, or since there must be DDL where there is nothing
	}
	if p.drops++; p.drops == told && !p.warned {
		p.warned = true
		p.cluster.warn(fmt.Sprintf("the cells of the last %d tests could not be used again, and each test needs a new clone, which "+
			"is slower; the last was that of %s: %s; see docs/isolation.md of pgcell", told, test, reason))
	}
}
