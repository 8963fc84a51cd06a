package facts

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Class is a row of pg_class that a vacuum writes to and the planner reads.
type Class struct {
	OID    uint32
	Block  uint32  // of pg_class that the row lies on
	Pages  int32   // relpages
	Tuples float32 // reltuples; -1 for a table that was never vacuumed
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
