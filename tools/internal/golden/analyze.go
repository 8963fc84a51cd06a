package golden

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

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
