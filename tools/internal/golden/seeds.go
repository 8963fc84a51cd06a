package golden

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// seededTables lists tables of which a recycler can take back what tests insert: those whose rows lie on one page. A
// vacuum then leaves the page as it was, and nothing but it to insert into; with more pages, the map of free space that
// a vacuum makes might send a later test's rows to an earlier one.
func seededTables(ctx context.Context, conn *pgx.Conn) ([]Table, error) {
	all, err := listTables(ctx, conn, "pg_relation_size(c.oid) = current_setting('block_size')::int"+
		" AND coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0) = 0")
	if err != nil || len(all) == 0 {
		return nil, err
	}
	parts := make([]string, len(all))
	for i, t := range all {
		parts[i] = fmt.Sprintf("SELECT %d AS i, count(*) AS n FROM ONLY %s", i, t.Name)
	}
	counts, err := collect[int64](ctx, conn, "SELECT n FROM ("+strings.Join(parts, " UNION ALL ")+") x ORDER BY i")
	if err != nil {
		return nil, err
	}
	var seeded []Table
	for i, t := range all {
		if t.Seeds = counts[i]; t.Seeds > 0 {
			seeded = append(seeded, t)
		}
	}
	return seeded, nil
}
