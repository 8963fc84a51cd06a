package cells

import (
	"context"
	"fmt"
	"strings"
)

// missing says which of some tables, out of which a test's rows have been taken, lacks rows of the template, for a new
// version of a row is the test's as well; "" where all are there.
func (w *warden) missing(ctx context.Context, tables []int) (reason string, err error) {
	var parts []string
	for _, i := range tables {
		if t := w.facts.Tables[i]; t.Seeds > 0 {
			parts = append(parts, fmt.Sprintf("SELECT %d WHERE %d <> (SELECT count(*) FROM ONLY %s)", i, t.Seeds, t.Name))
		}
	}
	if len(parts) == 0 {
		return "", nil
	}
	results, err := w.conn.PgConn().Exec(ctx, strings.Join(parts, " UNION ALL ")).ReadAll()
	if err != nil {
		return "", fmt.Errorf("count the template's rows: %w", err)
	}
	for _, r := range results[0].Rows {
		var i int
		if _, err := fmt.Sscan(string(r[0]), &i); err != nil {
			return "", err
		}
		return "rows that " + w.facts.Tables[i].Name + " has in the template were updated or deleted", nil
	}
	return "", nil
}
