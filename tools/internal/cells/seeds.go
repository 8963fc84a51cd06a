package cells

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// first gives the first transaction that did not write the seeds of a table.
func (w *warden) first(table int) int64 {
	if n, ok := w.restored[table]; ok {
		return n
	}
	return w.facts.First
}

// ensureSeeds puts the template's rows back into those of some tables, out of which a test's rows have been taken, that
// lack any. reason says why that cannot be done.
func (w *warden) ensureSeeds(ctx context.Context, tables []int) (reason string, err error) {
	missing, err := w.missing(ctx, tables)
	if len(missing) == 0 || err != nil {
		return "", err
	}
	for _, i := range missing {
		if w.facts.Tables[i].Content == nil {
			return "rows that " + w.facts.Tables[i].Name + " has in the template were updated or deleted", nil
		}
	}
	for _, i := range missing {
		if err := w.refill(ctx, i); err != nil {
			return "", fmt.Errorf("put back rows of %s: %w", w.facts.Tables[i].Name, err)
		}
	}
	settled, err := w.settle(ctx, missing)
	if !settled && err == nil {
		reason = "rows of " + w.facts.Tables[missing[0]].Name + " were put back, but are not yet seen by all"
	}
	return reason, err
}

// settle vacuums tables until their pages are marked as seen by all, as in the template: the planner reads how many are.
// Rows whose transaction committed asynchronously are not, until the log is flushed beyond what shares a page of the
// commit log's with it (src/backend/access/transam/clog.c), and other cells' tests write there meanwhile.
func (w *warden) settle(ctx context.Context, tables []int) (settled bool, err error) {
	var oids []string
	for _, i := range tables {
		oids = append(oids, fmt.Sprint(w.facts.Tables[i].OID))
	}
	const flush = "BEGIN; SET LOCAL synchronous_commit = on; SELECT txid_current(); COMMIT"
	for range 5 {
		if _, err := w.conn.PgConn().Exec(ctx, flush).ReadAll(); err != nil {
			return false, err
		}
		if err := w.vacuum(ctx, tables); err != nil {
			return false, err
		}
		seen := "SELECT bool_and(relallvisible = 1) FROM pg_class WHERE oid IN (" + strings.Join(oids, ",") + ")"
		err := w.conn.QueryRow(ctx, seen).Scan(&settled)
		if settled || err != nil {
			return settled, err
		}
	}
	return false, nil
}

// missing lists the tables that lack rows of the template; a row that a test has updated is one of its own.
func (w *warden) missing(ctx context.Context, tables []int) (missing []int, err error) {
	var parts []string
	for _, i := range tables {
		if t := w.facts.Tables[i]; t.Seeds > 0 {
			parts = append(parts, fmt.Sprintf("SELECT %d WHERE %d <> (SELECT count(*) FROM ONLY %s)", i, t.Seeds, t.Name))
		}
	}
	if len(parts) == 0 {
		return nil, nil
	}
	results, err := w.conn.PgConn().Exec(ctx, strings.Join(parts, " UNION ALL ")).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("count the template's rows: %w", err)
	}
	for _, r := range results[0].Rows {
		var i int
		if _, err := fmt.Sscan(string(r[0]), &i); err != nil {
			return nil, err
		}
		missing = append(missing, i)
	}
	slices.Sort(missing)
	return missing, nil
}

// refill empties a table, with its file, so that the template's rows take the places in it that they have there.
func (w *warden) refill(ctx context.Context, table int) error {
	t, pg := w.facts.Tables[table], w.conn.PgConn()
	if _, err := pg.Exec(ctx, "DELETE FROM ONLY "+t.Name).ReadAll(); err != nil {
		return err
	}
	if err := w.vacuum(ctx, []int{table}); err != nil {
		return err
	}
	if _, err := pg.CopyFrom(ctx, bytes.NewReader(t.Content), "COPY "+t.Name+" FROM STDIN"); err != nil {
		return err
	}
	var first int64
	if err := w.conn.QueryRow(ctx, "SELECT "+golden.NextTransaction).Scan(&first); err != nil {
		return err
	}
	w.restored[table] = first
	return nil
}
