package facts

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Table is one that has nothing which a DELETE in the role of a replica would set off. In the template it is empty, or
// its rows lie on one page.
type Table struct {
	OID   uint32
	Toast uint32 // its TOAST table; 0 where there is none
	Name  string // with its schema, quoted
	Size  int64  // bytes, in the template
	Seeds int64  `db:"-"` // rows in the template
	// Trees are indexes whose shape tells of rows that are gone once they have grown.
	Trees []Tree `db:"-"`
	// Classes are those of an empty table and of its partial indexes.
	Classes []Class `db:"-"`
}

// Tree is an index with the size that it may have after a test, bytes.
type Tree struct {
	OID  uint32
	Size int64
}

// tablesQuery lists tables that rows can be taken out of, ordinary ones of the heap, without triggers and rules that
// fire in the role of a replica too, if %s holds.
const tablesQuery = `
SELECT c.oid, c.reltoastrelid, format('%%I.%%I', n.nspname, c.relname), pg_relation_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.oid >= 16384
  AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgenabled IN ('A', 'R'))
  AND NOT EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_enabled IN ('A', 'R'))
  AND NOT EXISTS (` + publishedQuery + `)
  AND %s
ORDER BY c.oid`

// publishedQuery selects publications that keep anybody from deleting rows of a table c, as it has no replica identity.
const publishedQuery = `
  SELECT FROM pg_publication p JOIN pg_publication_tables v USING (pubname)
  WHERE p.pubdelete AND v.schemaname = n.nspname AND v.tablename = c.relname
    AND (c.relreplident = 'n' OR c.relreplident = 'd'
      AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate))`

// treesQuery lists the indexes of a table c whose shape decides about the order of rows, or about plans, with the size
// that they may have once the rows of a test are gone:
//   - a B-tree has a page for its rows, or as many as in the template: no page of it was split;
//   - a GIN index has at most 12 pages more, as small tests make it. Rows come in their own order; but the planner minds
//     how many pages there are, from 15 on (gincostestimate in src/backend/utils/adt/selfuncs.c);
//   - others have not grown, but for BRIN and Bloom ones, which have no such shape, and those of pgvector, whose shape is
//     another each time, or does not depend on rows that come later.
const treesQuery = `
SELECT i.oid, CASE a.amname WHEN 'btree' THEN greatest(size, 2 * block) WHEN 'gin' THEN size + 12 * block ELSE size END
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am a ON a.oid = i.relam,
  LATERAL (SELECT pg_relation_size(i.oid) AS size, current_setting('block_size')::int AS block) AS s
WHERE x.indrelid = $1 AND a.amname NOT IN ('brin', 'bloom', 'hnsw', 'ivfflat') ORDER BY 1`

// othersQuery lists what may be vacuumed or analyzed, but for tables in $1.
const othersQuery = `
SELECT oid FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'm', 'f') AND oid <> ALL ($1::oid[]) ORDER BY oid`

func listTables(ctx context.Context, conn *pgx.Conn, condition string) ([]Table, error) {
	rows, err := conn.Query(ctx, fmt.Sprintf(tablesQuery, condition))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Table])
}

// EmptyTables lists those of the tables that a recycler may take rows out of that have none. conn is in the template.
//
// Errors: those of the connection.
func EmptyTables(ctx context.Context, conn *pgx.Conn) ([]Table, error) {
	all, err := listTables(ctx, conn, "true")
	if err != nil || len(all) == 0 {
		return nil, err
	}
	parts := make([]string, len(all))
	for i, t := range all {
		parts[i] = fmt.Sprintf("SELECT %d AS i WHERE NOT EXISTS (SELECT FROM ONLY %s)", i, t.Name)
	}
	indexes, err := collect[int](ctx, conn, strings.Join(parts, " UNION ALL ")+" ORDER BY i")
	if err != nil {
		return nil, err
	}
	var empty []Table
	for _, i := range indexes {
		empty = append(empty, all[i])
	}
	return empty, nil
}

func others(ctx context.Context, conn *pgx.Conn, tables []Table) ([]uint32, error) {
	oids := []uint32{}
	for _, t := range tables {
		oids = append(oids, t.OID)
	}
	return collect[uint32](ctx, conn, othersQuery, oids)
}

// trees fills in [Table.Trees].
func trees(ctx context.Context, conn *pgx.Conn, tables []Table) error {
	for i, t := range tables {
		rows, err := conn.Query(ctx, treesQuery, t.OID)
		if err != nil {
			return err
		}
		if tables[i].Trees, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Tree]); err != nil {
			return err
		}
	}
	return nil
}

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
