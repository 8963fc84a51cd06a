package dump

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/facts"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/renew"
)

// changedTablesSQL lists the tables with rows that were ever changed since the database was made, and those made since,
// with the columns that COPY takes.
const changedTablesSQL = `
SELECT c.oid, format('%I.%I', n.nspname, c.relname), coalesce(string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), ''),
  coalesce(string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
    FILTER (WHERE a.attnum IS NOT NULL), ''),
  c.oid > d.oid,
  ARRAY[pg_stat_get_tuples_inserted(c.oid), pg_stat_get_tuples_updated(c.oid), pg_stat_get_tuples_deleted(c.oid)]
FROM pg_database d, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE d.datname = current_database() AND c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND (c.oid > d.oid OR pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid)
    + pg_stat_get_tuples_deleted(c.oid) > 0)
GROUP BY c.oid, n.nspname, c.relname, d.oid
ORDER BY 2`

// newObjectsSQL names what else was made since, but for parts of other objects and of extensions.
const newObjectsSQL = `
SELECT pg_describe_object(o.class, o.oid, 0) FROM (
  SELECT 'pg_class'::regclass AS class, oid FROM pg_class
    WHERE relkind IN ('v', 'm', 'S', 'f', 'p', 'i') AND relnamespace <> 'pg_toast'::regnamespace
  UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc
  UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typtype IN ('e', 'd', 'r')
  UNION ALL SELECT 'pg_trigger'::regclass, oid FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'pg_policy'::regclass, oid FROM pg_policy
  UNION ALL SELECT 'pg_namespace'::regclass, oid FROM pg_namespace WHERE nspname !~ '^pg_'
  UNION ALL SELECT 'pg_extension'::regclass, oid FROM pg_extension) o
WHERE o.oid > (SELECT oid FROM pg_database WHERE datname = current_database())
  AND NOT EXISTS (SELECT FROM pg_depend p WHERE p.classid = o.class AND p.objid = o.oid AND p.deptype IN ('e', 'i'))
ORDER BY 1`

// list writes the rows of tables that have changed, and the names of what was made since the database was.
func (s *Source) list(ctx context.Context, out io.Writer) error {
	conn, err := s.Server.Connect(ctx, golden.Superuser, s.Name)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "SET search_path = pg_catalog"); err != nil {
		return err
	}
	// Sessions hand their counters in as they end, or a second after their last statement.
	const find = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
	sessions, err := collect(ctx, conn, find, pgx.RowTo[int])
	if err == nil {
		_, err = renew.End(ctx, conn, sessions)
	}
	if err != nil {
		return err
	}
	objects, err := collect(ctx, conn, newObjectsSQL, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, o := range objects {
		fmt.Fprintf(out, "-- New %s\n", o)
	}
	tables, err := collect(ctx, conn, changedTablesSQL, pgx.RowToStructByPos[written])
	for _, t := range tables {
		if err == nil && (t.New || s.changed(t)) {
			err = t.copy(ctx, conn.PgConn(), out)
		}
	}
	return err
}

func collect[T any](ctx context.Context, conn *pgx.Conn, sql string, row pgx.RowToFunc[T]) ([]T, error) {
	rows, _ := conn.Query(ctx, sql) // CollectRows gives its error
	return pgx.CollectRows(rows, row)
}

// written is a table with rows that somebody has changed.
type written struct {
	OID            uint32
	Name           string
	Columns, Types string // "" where it has none
	New            bool
	Rows           []int64 // inserted, updated, deleted, ever
}

// changed reports whether the test has changed rows of a table.
func (s *Source) changed(t written) bool {
	i := slices.IndexFunc(s.Tables, func(known facts.Table) bool { return known.OID == t.OID })
	if i < 0 {
		return true // else the database would not have been used again
	}
	before := s.Database.Rows(i)
	return !slices.Equal(t.Rows, before[:])
}

// copy writes the table's rows as a COPY statement.
func (t written) copy(ctx context.Context, conn *pgconn.PgConn, out io.Writer) error {
	if t.New {
		fmt.Fprintf(out, "\n-- New table %s (%s)\n", t.Name, t.Types)
	} else {
		fmt.Fprintf(out, "\n-- Changed rows in %s, which are now:\n", t.Name)
	}
	if t.Columns == "" {
		return nil
	}
	fmt.Fprintf(out, "COPY %s (%s) FROM stdin;\n", t.Name, t.Columns)
	if _, err := conn.CopyTo(ctx, out, fmt.Sprintf("COPY %s (%s) TO STDOUT", t.Name, t.Columns)); err != nil {
		return err
	}
	_, err := fmt.Fprint(out, "\\.\n")
	return err
}
