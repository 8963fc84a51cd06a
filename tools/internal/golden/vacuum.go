package golden

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/facts"
)

// spreadClasses has the rows of pg_class that migrations make lie a few to a page, with room for further versions: so
// each [facts.Class] can be put back, which writes new versions of a page's rows, and all stay in the order in which
// they came.
func (b *builder) spreadClasses() error {
	return b.as(Superuser, b.template, func(conn *pgx.Conn) error {
		for _, sql := range []string{
			"SET allow_system_table_mods = on",
			"ALTER TABLE pg_catalog.pg_class SET (fillfactor = 10)", // the least; 4 or 5 rows
		} {
			if _, err := conn.Exec(b.ctx, sql); err != nil {
				return fmt.Errorf("spread the rows of pg_class: %s: %w", sql, err)
			}
		}
		return nil
	})
}

// vacuum gives the planner its statistics, but leaves tables that a recycler may empty as migrations do, never vacuumed:
// the planner takes an empty one to have 10 pages (src/backend/access/table/tableam.c), and plans for
// the rows that tests will put there, where a vacuumed one counts with the pages that it has: none.
func vacuum(ctx context.Context, conn *pgx.Conn) error {
	never, err := collect[uint32](ctx, conn, "SELECT oid FROM pg_class WHERE reltuples < 0")
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "VACUUM (FREEZE)"); err != nil {
		return err
	}
	if err := analyze(ctx, conn); err != nil {
		return err
	}
	tables, err := facts.EmptyTables(ctx, conn)
	if err != nil {
		return err
	}
	var empty []uint32
	for _, t := range tables {
		empty = append(empty, t.OID)
	}
	// All rows behind the first are written, for it is to be seen now whether there is room.
	const forget = `
UPDATE pg_class SET reltuples = CASE WHEN oid = ANY ($1) AND oid = ANY ($2) THEN -1 ELSE reltuples END
WHERE ctid >= (SELECT min(ctid) FROM pg_class WHERE oid >= 16384)`
	if _, err := conn.Exec(ctx, forget, never, empty); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "VACUUM (FREEZE) pg_class")
	return err
}

// ANALYZE reads a random sample of 300 rows for each unit of default_statistics_target, 100 by default. Where that
// covers the whole table, the statistics of two builds are equal.
const (
	sampled   = 300
	target    = 100
	maxTarget = 10000
)

// analyzedQuery lists all tables, in an order that is the same in each build, and how many rows ANALYZE would sample from:
// those of a table and of its partitions and heirs.
const analyzedQuery = `
WITH RECURSIVE heirs AS (
  SELECT oid AS root, oid FROM pg_class WHERE relkind IN ('r', 'm', 'p') AND relpersistence <> 't'
  UNION SELECT root, inhrelid FROM heirs JOIN pg_inherits ON inhparent = heirs.oid)
SELECT root::regclass::text, coalesce(sum(greatest(reltuples, 0)), 0)::float8
FROM heirs JOIN pg_class c ON c.oid = heirs.oid GROUP BY root ORDER BY root`

// analyze gives the planner its statistics. It reads large tables as a whole, by a higher statistics target; from 3 million
// rows on a sample is unavoidable, and two builds differ.
func analyze(ctx context.Context, conn *pgx.Conn) error {
	type table struct {
		Name string
		Rows float64
	}
	rows, err := conn.Query(ctx, analyzedQuery)
	if err != nil {
		return err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[table])
	if err != nil {
		return err
	}
	var small []string
	for _, t := range tables {
		if t.Rows <= sampled*target {
			small = append(small, t.Name)
			continue
		}
		raised := min(int(t.Rows)/sampled+1, maxTarget)
		if err := analyzeTables(ctx, conn, t.Name, raised); err != nil {
			return err
		}
	}
	if err := analyzeTables(ctx, conn, strings.Join(small, ", "), target); err != nil {
		return err
	}
	// Or later reads take the earlier statistics off its pages, in an order of their own.
	_, err = conn.Exec(ctx, "VACUUM (FREEZE) pg_statistic")
	return err
}

func analyzeTables(ctx context.Context, conn *pgx.Conn, names string, target int) error {
	if _, err := conn.Exec(ctx, fmt.Sprintf("SET default_statistics_target = %d", target)); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, "ANALYZE "+names)
	return err
}
