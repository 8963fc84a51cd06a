package golden

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// largeQuery lists GiST indexes of a table c whose inner pages keep the bounds of rows that are gone.
const largeQuery = `
SELECT FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am a ON a.oid = i.relam
WHERE x.indrelid = c.oid AND a.amname = 'gist' AND pg_relation_size(i.oid) > current_setting('block_size')::int`

// seededTables lists tables of which a recycler can take back what tests insert: those whose rows lie on one page. A
// vacuum then leaves the page as it was, and nothing but it to insert into; with more pages, the map of free space that
// a vacuum makes might send a later test's rows to an earlier one.
func seededTables(ctx context.Context, conn *pgx.Conn) ([]Table, error) {
	all, err := listTables(ctx, conn, "pg_relation_size(c.oid) = current_setting('block_size')::int"+
		" AND coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0) = 0 AND NOT EXISTS ("+largeQuery+")")
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
		if t.Seeds = counts[i]; t.Seeds == 0 {
			continue
		}
		seeded = append(seeded, t)
	}
	return seeded, nil
}
