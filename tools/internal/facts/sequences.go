package facts

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Sequence is one with its state in the template.
type Sequence struct {
	OID    uint32
	Last   int64
	Called bool
}

const sequencesQuery = `
SELECT c.oid, format('%I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' ORDER BY c.oid`

func sequences(ctx context.Context, conn *pgx.Conn) ([]Sequence, error) {
	type found struct {
		OID  uint32
		Name string
	}
	rows, err := conn.Query(ctx, sequencesQuery)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[found])
	if err != nil || len(all) == 0 {
		return nil, err
	}
	parts := make([]string, len(all))
	for i, s := range all {
		parts[i] = fmt.Sprintf("SELECT %d::oid AS o, last_value, is_called FROM %s", s.OID, s.Name)
	}
	rows, err = conn.Query(ctx, strings.Join(parts, " UNION ALL ")+" ORDER BY o")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Sequence])
}
