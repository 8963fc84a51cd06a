package golden

import (
	"bytes"
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
		if !t.Remembers { // else the index would have another shape
			if t.Content, err = content(ctx, conn, t); err != nil {
				return nil, fmt.Errorf("copy the rows of %s: %w", t.Name, err)
			}
		}
		seeded = append(seeded, t)
	}
	return seeded, nil
}

// contentQuery tells whether to copy the rows of table $1, which %s names, into an empty one makes the same page. So they
// take its first places, without one between them that is free; no column, and no way to store one, has come later than
// a row; nothing is generated, or of a type whose text says less than it stores; and no index is partial, of which the
// planner reads how many rows it had when it was last vacuumed.
const contentQuery = `
SELECT (SELECT max((ctid::text::point)[1]) = count(*) FROM ONLY %[1]s)
  AND EXISTS (SELECT FROM pg_class WHERE oid = $1 AND relallvisible = 1 AND reloptions IS NULL)
  AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = $1 AND indpred IS NOT NULL)
  AND NOT EXISTS (
    SELECT FROM pg_attribute a LEFT JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = $1 AND a.attnum > 0 AND (a.attgenerated <> '' OR a.atthasmissing OR a.attisdropped
      OR t.typtype = 'c' OR 'xml'::regtype IN (t.oid, t.typbasetype, t.typelem)
      OR EXISTS (SELECT FROM ONLY %[1]s AS pgcell WHERE
        (a.xmin::text::int8, a.cmin::text::int8) > (pgcell.xmin::text::int8, pgcell.cmin::text::int8))))`

// ContentSettings are those in which [Table.Content] is written, and must be read.
var ContentSettings = map[string]string{"DateStyle": "ISO, YMD", "IntervalStyle": "postgres", "extra_float_digits": "1"}

// content gives the rows of a seeded table, nil where they cannot be put back.
func content(ctx context.Context, conn *pgx.Conn, t Table) ([]byte, error) {
	var same bool
	if err := conn.QueryRow(ctx, fmt.Sprintf(contentQuery, t.Name), t.OID).Scan(&same); err != nil || !same {
		return nil, err
	}
	for name, value := range ContentSettings {
		if _, err := conn.Exec(ctx, "SELECT set_config($1, $2, false)", name, value); err != nil {
			return nil, err
		}
	}
	var rows bytes.Buffer
	if _, err := conn.PgConn().CopyTo(ctx, &rows, "COPY "+t.Name+" TO STDOUT"); err != nil {
		return nil, err
	}
	return rows.Bytes(), nil
}
