package facts

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/session"
	"github.com/pgcell/pgcell/tools/internal/sqltext"
)

// definitions selects all code of a template but for that of [stateless] extensions, a row each: a description, the
// text, and, of a function, its language, its number of arguments and its name.
var definitions = `
SELECT format('function %s', oid::regprocedure),
    concat_ws(' ', coalesce(pg_get_function_sqlbody(oid), prosrc), pg_get_expr(proargdefaults, 0)),
    (SELECT lanname FROM pg_language l WHERE l.oid = prolang), pronargs, proname FROM pg_proc
  WHERE oid >= 16384 AND prokind <> 'a' AND NOT ` + trusted + `
UNION ALL SELECT format('aggregate %s', aggfnoid::oid::regprocedure),
    concat_ws(' ', aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn, aggminvtransfn, aggmfinalfn),
    '', 0, ''
  FROM pg_aggregate WHERE aggfnoid::oid >= 16384
UNION ALL SELECT format('operator %s', oid::regoperator), oprcode::text, '', 0, '' FROM pg_operator WHERE oid >= 16384
UNION ALL SELECT format('cast %s', oid), castfunc::regproc::text, '', 0, '' FROM pg_cast WHERE oid >= 16384
UNION ALL SELECT format('type %s', oid::regtype), pg_get_expr(typdefaultbin, 0), '', 0, ''
  FROM pg_type WHERE typdefaultbin IS NOT NULL
UNION ALL SELECT format('view %s', oid::regclass), pg_get_viewdef(oid), '', 0, ''
  FROM pg_class WHERE oid >= 16384 AND relkind IN ('v', 'm')
UNION ALL SELECT format('partitions of %s', partrelid::regclass), pg_get_partkeydef(partrelid), '', 0, ''
  FROM pg_partitioned_table
UNION ALL SELECT format('index %s', indexrelid::regclass), pg_get_indexdef(indexrelid), '', 0, ''
  FROM pg_index WHERE indexrelid >= 16384
UNION ALL SELECT format('statistics %s', stxname), pg_get_statisticsobjdef(oid), '', 0, '' FROM pg_statistic_ext
UNION ALL SELECT format('policy %I of %s', polname, polrelid::regclass),
  concat_ws(' ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)), '', 0, '' FROM pg_policy
UNION ALL SELECT format('default of %s', adrelid::regclass), pg_get_expr(adbin, adrelid), '', 0, '' FROM pg_attrdef
UNION ALL SELECT format('constraint %I', conname), pg_get_constraintdef(oid), '', 0, ''
  FROM pg_constraint WHERE oid >= 16384 AND contype = 'c'
UNION ALL SELECT format('trigger %I of %s', tgname, tgrelid::regclass), pg_get_triggerdef(oid), '', 0, ''
  FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT format('rule %I of %s', rulename, ev_class::regclass), pg_get_ruledef(oid), '', 0, '' FROM pg_rewrite
  WHERE oid >= 16384 AND rulename <> '_RETURN'
ORDER BY 1`

// definition is a row of definitions.
type definition struct {
	What, Text, Language string
	Arguments            int
	Name                 string
}

// cold says why no session of a template's clones goes on to another test; "" if sessions may. All code must be SQL or
// PL/pgSQL in which [session.HarmlessCode] finds nothing, and functions may set only what ends with them. Functions in
// other languages are harmless if they belong to [stateless] extensions. Besides, a session keeps two things that no
// statement makes it forget: see ambiguousQuery and kept.
func cold(ctx context.Context, conn *pgx.Conn) (why string, err error) {
	for _, query := range []string{setsQuery, ambiguousQuery} {
		if err := conn.QueryRow(ctx, "SELECT coalesce(("+query+" LIMIT 1), '')").Scan(&why); err != nil || why != "" {
			return why, err
		}
	}
	rows, err := conn.Query(ctx, definitions)
	if err != nil {
		return "", err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[definition])
	if err != nil {
		return "", err
	}
	names := map[string]bool{}
	for _, d := range all {
		if d.Name != "" {
			names[d.Name] = true
		}
		if l := d.Language; l != "" && l != "sql" && l != "plpgsql" {
			return fmt.Sprintf("%s is in the language %s, and of no extension that is known to keep nothing in a session",
				d.What, l), nil
		}
		if word := session.HarmlessCode(d.Text); word != "" {
			return fmt.Sprintf("%s may leave something in a session: it has %s in it", d.What, word), nil
		}
	}
	called, err := collect[string](ctx, conn, calledQuery)
	if err != nil {
		return "", err
	}
	for _, d := range all {
		if slices.Contains(called, d.What) && d.kept(names) {
			return "a session may keep a result of " + d.What + ", which an index, a domain or a partitioned table calls", nil
		}
	}
	return "", nil
}

// calledQuery lists immutable functions that indexes, domains and partition keys call.
var calledQuery = `
SELECT DISTINCT format('function %s', pg_proc.oid::regprocedure)
FROM pg_depend d JOIN pg_proc ON d.refclassid = 'pg_proc'::regclass AND pg_proc.oid = d.refobjid
WHERE pg_proc.oid >= 16384 AND provolatile = 'i' AND NOT ` + trusted + `
  AND (d.classid = 'pg_class'::regclass AND d.objid IN (SELECT oid FROM pg_class WHERE relkind IN ('i', 'I', 'p'))
    OR d.classid = 'pg_constraint'::regclass AND d.objid IN (SELECT oid FROM pg_constraint WHERE contypid <> 0))
ORDER BY 1`

// kept reports whether a result of an immutable function may be kept though it changes: if it has no arguments, has a
// word in it with which tables or parameters are read, or calls another function of the template's.
func (d definition) kept(functions map[string]bool) bool {
	lexer := sqltext.New(d.Text)
	for t := lexer.Next(); t.Kind != sqltext.EOF; t = lexer.Next() {
		name, ok := t.Ident()
		if t.Is("from", "table", "current_setting") || ok && name != d.Name && functions[name] {
			return true
		}
	}
	return d.Arguments == 0
}

// settings selects what functions set for as long as they run (CREATE FUNCTION ... SET), a row each.
var settings = `
SELECT oid, split_part(c, '=', 1) AS name FROM pg_proc, unnest(proconfig) AS c WHERE oid >= 16384 AND NOT ` + trusted

// setsQuery names a function that sets a parameter which is not known to be as before when the function ends.
var setsQuery = `
SELECT format('function %s sets %s', oid::regprocedure, name) FROM (` + settings + `) AS s
WHERE lower(name) !~ ('^(search_path|row_security|client_min_messages|synchronous_commit|check_function_bodies|timezone|datestyle' ||
  '|intervalstyle|work_mem|jit|plan_cache_mode|enable_\w+|log_\w+|\w+_timeout)$')
ORDER BY oid`

// ambiguousQuery names a function that PL/pgSQL may have compiled, for the rest of the session, with the types that
// names had in another function's search_path: one without a search_path of its own, where others have one and a type
// or a procedure has a namesake in another schema.
var ambiguousQuery = `
SELECT format('function %s may be compiled in another search_path', f.oid::regprocedure)
FROM pg_proc f JOIN pg_language l ON l.oid = f.prolang
WHERE f.oid >= 16384 AND l.lanname = 'plpgsql'
  AND f.oid NOT IN (SELECT oid FROM (` + settings + `) AS s WHERE name = 'search_path')
  AND EXISTS (SELECT FROM (` + settings + `) AS s WHERE name = 'search_path')
  AND EXISTS (
    SELECT FROM (
      SELECT typname, typnamespace FROM pg_type
      UNION ALL SELECT proname, pronamespace FROM pg_proc WHERE prokind = 'p'
    ) AS named (name, schema)
    WHERE schema NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'pg_toast', 'information_schema'))
    GROUP BY name HAVING count(DISTINCT schema) > 1)
ORDER BY f.oid`
