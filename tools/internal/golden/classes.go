package golden

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Class is a row of pg_class that a vacuum writes to and the planner reads.
type Class struct {
	OID    uint32
	Block  uint32  // of pg_class that the row lies on
	Pages  int32   // relpages
	Tuples float32 // reltuples; -1 for a table that was never vacuumed
}

// spreadClasses has the rows of pg_class that migrations make lie a few to a page, with room for further versions: so
// [Class]es can be put back, which writes new versions of a page's rows, and all stay in the order in which they came.
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
	tables, err := emptyTables(ctx, conn)
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

// classesQuery lists the classes of table $1, its partial indexes among them: of others the planner does not read how
// many rows they have.
const classesQuery = `
SELECT c.oid, (c.ctid::text::point)[0]::int8, c.relpages, c.reltuples
FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.oid = $1 OR i.indrelid = $1 AND i.indpred IS NOT NULL ORDER BY 1`

func classes(ctx context.Context, conn *pgx.Conn, tables []Table) error {
	for i, t := range tables {
		rows, err := conn.Query(ctx, classesQuery, t.OID)
		if err != nil {
			return err
		}
		if tables[i].Classes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Class]); err != nil {
			return err
		}
	}
	return nil
}
