package renew

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Reference is what tests can see of a new clone: the row versions of each catalog, each table's rows in the order in
// which they lie, each sequence, the database's own properties, plans. It keeps the statements that ask for them.
//
// What is left out cannot be seen but by reading files: file numbers, and how old rows may be.
type Reference struct {
	catalogs, script string
	queries          []string // that script explains, after its first statement
	shows            map[string]string
}

// Reference looks at a new clone.
//
// Errors: those of the connection.
func (c *Cleaner) Reference(ctx context.Context) (*Reference, error) {
	catalogs, tables, err := fingerprintParts(ctx, c.conn)
	if err != nil {
		return nil, err
	}
	rows, err := c.conn.Query(ctx, queriesSQL)
	if err != nil {
		return nil, err
	}
	queries, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	r := &Reference{catalogs: strings.Join(catalogs, " UNION ALL "), queries: queries, shows: map[string]string{}}
	r.script = strings.Join(tables, " UNION ALL ")
	for _, q := range queries {
		r.script += "; EXPLAIN " + q
	}
	if err := c.addCatalogs(ctx, r, r.shows); err != nil {
		return nil, err
	}
	return r, c.addTables(ctx, r, r.shows)
}

// Differences names what a database shows otherwise than a new clone, sorted. If catalogs differ, it asks for no more,
// since the tables may be others.
//
// Errors: those of the connection.
func (c *Cleaner) Differences(ctx context.Context, r *Reference) ([]string, error) {
	shows := map[string]string{}
	if err := c.addCatalogs(ctx, r, shows); err != nil {
		return nil, err
	}
	var all []string
	for k, got := range shows {
		if r.shows[k] != got {
			all = append(all, k)
		}
	}
	if len(all) == 0 {
		if err := c.addTables(ctx, r, shows); err != nil {
			return nil, err
		}
		for k, want := range r.shows {
			if shows[k] != want {
				all = append(all, k)
			}
		}
	}
	slices.Sort(all)
	return all, nil
}

// addCatalogs adds what catalogs show. Nothing invalidates the plan, so the server keeps it.
func (c *Cleaner) addCatalogs(ctx context.Context, r *Reference, shows map[string]string) error {
	rows, err := c.conn.Query(ctx, r.catalogs)
	if err != nil {
		return err
	}
	var key, value string
	_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error {
		shows[key] = value
		return nil
	})
	return err
}

// queriesSQL gives queries whose plans depend on how large the planner takes tables and indexes to be: each table whole,
// by its first column, and with each table that it references.
const queriesSQL = `
WITH tables AS (
  SELECT c.oid, c.oid::regclass AS name, (SELECT quote_ident(attname) FROM pg_attribute a
    WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum LIMIT 1) AS first
  FROM pg_class c WHERE relkind IN ('r', 'p') AND c.oid >= 16384)
SELECT format('SELECT * FROM %s', name) FROM tables
UNION ALL SELECT format('SELECT * FROM %s ORDER BY %s LIMIT 1', name, first) FROM tables WHERE first IS NOT NULL
UNION ALL SELECT format('SELECT * FROM %s WHERE %s IS NOT NULL', name, first) FROM tables WHERE first IS NOT NULL
UNION ALL SELECT format('SELECT * FROM %s AS a JOIN %s AS b ON a.%I = b.%I', conrelid::regclass, confrelid::regclass, k.attname, f.attname)
  FROM pg_constraint JOIN pg_attribute k ON k.attrelid = conrelid AND k.attnum = conkey[1]
  JOIN pg_attribute f ON f.attrelid = confrelid AND f.attnum = confkey[1]
  WHERE contype = 'f' AND conparentid = 0`

// costs matches the costs in a plan. A B-tree that was emptied has a page more than one that was never filled, and costs
// tell of it.
var costs = regexp.MustCompile(`cost=\S+ `)

// addTables adds what tables and sequences show, and the plans of some queries, with numbers of rows: all in one round
// trip, as there are hundreds of plans.
func (c *Cleaner) addTables(ctx context.Context, r *Reference, shows map[string]string) error {
	results, err := c.conn.PgConn().Exec(ctx, r.script).ReadAll()
	if err != nil {
		return err
	}
	for _, row := range results[0].Rows {
		shows[string(row[0])] = string(row[1])
	}
	for i, q := range r.queries {
		var plan strings.Builder
		for _, line := range results[i+1].Rows {
			plan.Write(line[0])
			plan.WriteByte('\n')
		}
		shows["plan of "+q] = costs.ReplaceAllString(plan.String(), "")
	}
	return nil
}

// classText is a row of pg_class: the first %s are its columns that neither tell of files nor are counted, the second those
// that are counted. These are left out where they differ between a clone and a recycled cell, but make no difference to
// tests: a vacuum of all tables notes them for catalogs and for indexes, of which the planner reads partial ones' alone.
const classText = "ROW(%s)::text || CASE WHEN t.oid < 16384 OR" +
	" t.relkind = 'i' AND NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = t.oid AND indpred IS NOT NULL)" +
	" THEN '' ELSE ROW(%s)::text END"

// versions is how many rows a catalog has, and the sum of their transactions, as distances from the first one: a row's
// version tells that it is as it was, and costs a tenth of its text. Rows that initdb made, by transaction 1, have no age.
const versions = "count(*) || ' ' || coalesce(sum(age('3'::xid) - age(xmin)) FILTER (WHERE xmin <> '1'), 0)"

// fingerprintParts gives queries of a key and a value each: of catalogs and the database's properties, and of what is no
// catalog's.
func fingerprintParts(ctx context.Context, conn *pgx.Conn) (catalogs, tables []string, err error) {
	const columns = `(SELECT string_agg('t.' || attname, ', ' ORDER BY attnum) FROM pg_attribute
   WHERE attrelid = 'pg_class'::regclass AND attnum > 0 AND attname NOT IN ('relfilenode', 'relfrozenxid', 'relminmxid')
   AND (attname IN ('relpages', 'reltuples', 'relallvisible', 'relallfrozen')) = `
	rows, err := conn.Query(ctx, `
SELECT format('%I.%I', n.nspname, c.relname), c.relkind = 'S', c.oid = 'pg_class'::regclass,
  n.nspname IN ('pg_catalog', 'information_schema'), `+columns+"false), "+columns+`true)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'S') AND NOT c.relisshared AND c.relpersistence <> 't' ORDER BY 1`)
	if err != nil {
		return nil, nil, err
	}
	catalogs = []string{
		"SELECT 'parameters', coalesce(string_agg(setrole || setconfig::text, ' ' ORDER BY setrole, setdatabase), '') FROM pg_db_role_setting" +
			" WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))",
		"SELECT 'database', (to_jsonb(d) - ARRAY['oid', 'datname', 'datfrozenxid', 'datminmxid', 'dattablespace'])::text ||" +
			" coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database d WHERE datname = current_database()",
	}
	tables = []string{"SELECT 'prepared transactions', count(*)::text FROM pg_prepared_xacts WHERE database = current_database()"}
	var name, columnsOfClass, counted string
	var isSequence, isClass, isCatalog bool
	_, err = pgx.ForEachRow(rows, []any{&name, &isSequence, &isClass, &isCatalog, &columnsOfClass, &counted}, func() error {
		value, from := "md5(string_agg(t::text, E'\n'))", "ONLY "+name // ONLY is not for sequences
		switch {
		case isSequence:
			value, from = "max(last_value || ' ' || is_called)", name
		case isClass: // some of its columns are written in place
			value = "md5(string_agg(" + fmt.Sprintf(classText, columnsOfClass, counted) + ", E'\n'))"
		case isCatalog:
			value = versions
		}
		part := fmt.Sprintf("SELECT '%s', coalesce(%s, '') FROM %s t", strings.ReplaceAll(name, "'", "''"), value, from)
		if isCatalog {
			catalogs = append(catalogs, part)
		} else {
			tables = append(tables, part)
		}
		return nil
	})
	return catalogs, tables, err
}
