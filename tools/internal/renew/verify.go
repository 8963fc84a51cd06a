package renew

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Fingerprint tells all that a test could see of a database: the row versions of each catalog, each table's rows in the
// order in which they lie, each sequence, the database's own properties, plans. Keys name what it is of.
//
// What is left out cannot be seen but by reading files: file numbers, and how old rows may be.
func (c *Cleaner) Fingerprint(ctx context.Context) (map[string]string, error) {
	catalogs, others, err := fingerprintParts(ctx, c.conn)
	if err != nil {
		return nil, err
	}
	// Nothing invalidates the plan for the catalogs, so the server keeps it: it is most of the work.
	rows, err := c.conn.Query(ctx, strings.Join(catalogs, " UNION ALL "))
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	var key, value string
	_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error {
		all[key] = value
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, c.addTables(ctx, all, others)
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

// addTables adds what parts select, and the plans of some queries, with numbers of rows: all in one round trip, as there
// are hundreds of plans.
func (c *Cleaner) addTables(ctx context.Context, all map[string]string, parts []string) error {
	rows, err := c.conn.Query(ctx, queriesSQL)
	if err != nil {
		return err
	}
	queries, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	script := strings.Join(parts, " UNION ALL ")
	for _, q := range queries {
		script += "; EXPLAIN " + q
	}
	results, err := c.conn.PgConn().Exec(ctx, script).ReadAll()
	if err != nil {
		return err
	}
	for _, row := range results[0].Rows {
		all[string(row[0])] = string(row[1])
	}
	for i, q := range queries {
		var plan strings.Builder
		for _, line := range results[i+1].Rows {
			plan.Write(line[0])
			plan.WriteByte('\n')
		}
		all["plan of "+q] = costs.ReplaceAllString(plan.String(), "")
	}
	return nil
}

// classText is a row of pg_class, of whose columns %s are those that neither tell of files nor are counted, and without
// what differs between a clone and a recycled cell, but makes no difference to tests: what a vacuum of all tables notes of
// catalogs and of indexes, of which the planner reads partial ones' alone.
const classText = "ROW(%s)::text || CASE WHEN t.oid < 16384 OR" +
	" t.relkind = 'i' AND NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = t.oid AND indpred IS NOT NULL)" +
	" THEN '' ELSE (to_jsonb(t) - 'relfilenode' - 'relfrozenxid' - 'relminmxid')::text END"

// fingerprintParts gives queries of a key and a value each: of catalogs, and of others.
func fingerprintParts(ctx context.Context, conn *pgx.Conn) (catalogs, others []string, err error) {
	rows, err := conn.Query(ctx, `
SELECT format('%I.%I', n.nspname, c.relname), c.relkind = 'S', c.oid = 'pg_class'::regclass,
  n.nspname IN ('pg_catalog', 'information_schema'),
  (SELECT string_agg('t.' || attname, ', ' ORDER BY attnum) FROM pg_attribute
   WHERE attrelid = 'pg_class'::regclass AND attnum > 0 AND NOT attisdropped AND attname NOT IN
     ('relfilenode', 'relfrozenxid', 'relminmxid', 'relpages', 'reltuples', 'relallvisible', 'relallfrozen'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'S') AND NOT c.relisshared AND c.relpersistence <> 't' ORDER BY 1`)
	if err != nil {
		return nil, nil, err
	}
	others = []string{
		"SELECT 'parameters', coalesce(string_agg(setrole || setconfig::text, ' ' ORDER BY setrole, setdatabase), '') FROM pg_db_role_setting" +
			" WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))",
		"SELECT 'database', (to_jsonb(d) - ARRAY['oid', 'datname', 'datfrozenxid', 'datminmxid', 'dattablespace'])::text ||" +
			" coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database d WHERE datname = current_database()",
		"SELECT 'prepared transactions', count(*)::text FROM pg_prepared_xacts WHERE database = current_database()",
	}
	var name, classColumns string
	var isSequence, isClass, isCatalog bool
	_, err = pgx.ForEachRow(rows, []any{&name, &isSequence, &isClass, &isCatalog, &classColumns}, func() error {
		value, from := "md5(string_agg(t::text, E'\n'))", "ONLY "+name // ONLY is not for sequences
		switch {
		case isSequence:
			value, from = "max(last_value || ' ' || is_called)", name
		case isClass: // some of its columns are written in place
			value = "md5(string_agg(" + fmt.Sprintf(classText, classColumns) + ", E'\n'))"
		case isCatalog:
			// A row's version tells that it is as it was, and costs a tenth of its text.
			value = "count(*) || ' ' || sum(xmin::text::bigint)"
		}
		part := fmt.Sprintf("SELECT '%s', coalesce(%s, '') FROM %s t", strings.ReplaceAll(name, "'", "''"), value, from)
		if isCatalog && !isClass {
			catalogs = append(catalogs, part)
		} else {
			others = append(others, part)
		}
		return nil
	})
	return catalogs, others, err
}

// Differences names what differs between two fingerprints.
func Differences(want, got map[string]string) (all []string) {
	keys := map[string]bool{}
	for _, m := range []map[string]string{want, got} {
		for k := range m {
			keys[k] = true
		}
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if want[k] != got[k] {
			all = append(all, k)
		}
	}
	return all
}
