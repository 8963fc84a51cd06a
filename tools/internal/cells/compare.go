package cells

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// fingerprint tells all that a test could see of a database: the row versions of each catalog, each table's rows in the
// order in which they lie, each sequence, the database's own properties. Keys name what it is of.
//
// What is left out cannot be seen but by reading files: file numbers, and how old rows may be.
func fingerprint(ctx context.Context, conn *pgx.Conn) (map[string]string, error) {
	parts, err := fingerprintParts(ctx, conn)
	if err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, strings.Join(parts, " UNION ALL "))
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	var key, value string
	_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error {
		all[key] = value
		return nil
	})
	return all, err
}

// classText is a row of pg_class without what differs between a clone and a recycled cell, and makes no difference to
// tests: file numbers, ages, and what a vacuum of all tables notes of catalogs and of indexes, of which the planner reads
// partial ones' alone.
const classText = "(to_jsonb(t) - ARRAY['relfilenode', 'relfrozenxid', 'relminmxid'] - CASE WHEN t.oid < 16384 OR" +
	" t.relkind = 'i' AND NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = t.oid AND indpred IS NOT NULL)" +
	" THEN ARRAY['relpages', 'reltuples', 'relallvisible', 'relallfrozen'] ELSE '{}' END)::text"

func fingerprintParts(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, err := conn.Query(ctx, `
SELECT format('%I.%I', n.nspname, c.relname), c.relkind = 'S', c.oid = 'pg_class'::regclass, n.nspname = 'pg_catalog'
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'S') AND NOT c.relisshared AND c.relpersistence <> 't' ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	parts := []string{
		"SELECT 'parameters', coalesce(string_agg(setrole || setconfig::text, ' ' ORDER BY setrole, setdatabase), '') FROM pg_db_role_setting" +
			" WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))",
		"SELECT 'database', (to_jsonb(d) - ARRAY['oid', 'datname', 'datfrozenxid', 'datminmxid', 'dattablespace'])::text ||" +
			" coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database d WHERE datname = current_database()",
		"SELECT 'prepared transactions', count(*)::text FROM pg_prepared_xacts WHERE database = current_database()",
	}
	var name string
	var isSequence, isClass, isCatalog bool
	_, err = pgx.ForEachRow(rows, []any{&name, &isSequence, &isClass, &isCatalog}, func() error {
		value, from := "md5(string_agg(t::text, E'\n'))", "ONLY "+name // ONLY is not for sequences
		switch {
		case isSequence:
			value, from = "max(last_value || ' ' || is_called)", name
		case isClass: // some of its columns are written in place
			value = "md5(string_agg(" + classText + ", E'\n'))"
		case isCatalog:
			// A row's version tells that it is as it was, and costs a tenth of its text.
			value = "count(*) || ' ' || sum(xmin::text::bigint)"
		}
		parts = append(parts, fmt.Sprintf("SELECT '%s', coalesce(%s, '') FROM %s t", strings.ReplaceAll(name, "'", "''"), value, from))
		return nil
	})
	return parts, err
}

// differences names what differs between two fingerprints.
func differences(want, got map[string]string) (all []string) {
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

// verify compares a cell with a new clone of its template.
//
// Errors: one that names what differs.
func (c *cell) verify(ctx context.Context) error {
	want, err := c.pool.asCloned(ctx)
	if err != nil {
		return fmt.Errorf("verify cell %s: %w", c.name, err)
	}
	got, err := fingerprint(ctx, c.warden.conn)
	if err != nil {
		return fmt.Errorf("verify cell %s: %w", c.name, err)
	}
	if d := differences(want, got); len(d) > 0 {
		return fmt.Errorf("verify cell %s: after recycling it differs from a new clone in %s", c.name, strings.Join(d, ", "))
	}
	return nil
}

// asCloned gives the fingerprint of a new clone, which it takes once.
func (p *pool) asCloned(ctx context.Context) (map[string]string, error) {
	p.reference.Lock()
	defer p.reference.Unlock()
	if p.reference.of != nil {
		return p.reference.of, nil
	}
	c, err := p.clone(ctx)
	if err != nil {
		return nil, err
	}
	defer p.discardCell(c)
	config := p.cluster.server.OwnConfig(AdminRole, c.name).ConnConfig
	maps.Copy(config.RuntimeParams, golden.ContentSettings) // as the warden's
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	p.reference.of, err = fingerprint(ctx, conn)
	return p.reference.of, err
}
