package golden

import "strings"

// definitions selects what of a template has code in it, but for functions of [stateless] extensions: a description,
// the text, and the function where it is one.
var definitions = `
SELECT format('function %s', oid::regprocedure), pg_get_functiondef(oid), oid FROM pg_proc
  WHERE oid >= 16384 AND prokind <> 'a' AND NOT ` + trusted + `
UNION ALL SELECT format('view %s', oid::regclass), pg_get_viewdef(oid), 0 FROM pg_class
  WHERE oid >= 16384 AND relkind IN ('v', 'm')
UNION ALL SELECT format('policy %I of %s', polname, polrelid::regclass),
  concat_ws(' ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)), 0 FROM pg_policy
UNION ALL SELECT format('default of %s', adrelid::regclass), pg_get_expr(adbin, adrelid), 0 FROM pg_attrdef
UNION ALL SELECT format('constraint %I', conname), pg_get_constraintdef(oid), 0 FROM pg_constraint
  WHERE oid >= 16384 AND contype = 'c'
UNION ALL SELECT format('trigger %I of %s', tgname, tgrelid::regclass), pg_get_triggerdef(oid), 0 FROM pg_trigger
  WHERE NOT tgisinternal
UNION ALL SELECT format('rule %I of %s', rulename, ev_class::regclass), pg_get_ruledef(oid), 0 FROM pg_rewrite
  WHERE oid >= 16384 AND rulename <> '_RETURN'`

// coldQuery says what may leave state in a session that no statement takes back: languages and extensions with memory
// of their own, and code that sets parameters, which leaves custom ones defined, seeds random(), makes or drops
// prepared statements, or whose plan holds the time at which it was made, or that has what it calls compiled otherwise.
// $1 is [leaves], $2 [setsAParameter].
var coldQuery = `
SELECT coalesce(
  (SELECT format('language %s', lanname) FROM pg_language WHERE lanname NOT IN ('internal', 'c', 'sql', 'plpgsql') LIMIT 1),
  (SELECT coalesce('extension ' || (SELECT extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
     WHERE d.classid = 'pg_proc'::regclass AND d.objid = pg_proc.oid AND d.deptype = 'e'),
     format('function %s in C', oid::regprocedure))
   FROM pg_proc WHERE oid >= 16384 AND prolang = 13 AND NOT ` + trusted + ` ORDER BY oid LIMIT 1),
  (SELECT what || ' may leave something in a connection' FROM (` + definitions + `) AS d (what, text, function)
   WHERE text ~* $2 OR function IN (
     SELECT oid FROM pg_proc WHERE prolang <> 13 AND ` + body + ` ~* $1 UNION ALL ` + executesQuery + `)
   ORDER BY what LIMIT 1),
  (SELECT format('function %s may leave something in a connection', oid::regprocedure) FROM (` + settings + `) AS s
   WHERE name ~ '\.|^(standard_conforming_strings|backslash_quote|escape_string_warning)$' ORDER BY oid LIMIT 1),
  (` + ambiguousQuery + `),
  (` + foldedQuery + `),
  '')`

// body is a function's, without comments.
const body = `regexp_replace(regexp_replace(prosrc, '/\*.*?\*/', '', 'g'), '--[^\n]*', '', 'g')`

// executesQuery lists functions that execute what they are given, or have read from a table: a variable that is an
// argument, or is not assigned each time what begins with a literal, or format('...'), or itself. At such texts [leaves]
// looks.
const executesQuery = `
SELECT f.oid FROM (
    SELECT pg_proc.oid, lower(` + body + `) AS body, coalesce(lower(proargnames::text)::text[], '{}') AS arguments
    FROM pg_proc JOIN pg_language l ON l.oid = prolang WHERE pg_proc.oid >= 16384 AND lanname = 'plpgsql'
  ) AS f,
  regexp_matches(body, '\mexecute\s*\(*\s*([a-z_$][\w$.]*)[\s)]*(;|\|\||\m(using|into|loop)\M)', 'g') AS m (found),
  concat('\m', found[1], '\M(\s+(text|varchar))?\s*(:?=|\mdefault\M)') AS assigned,
  concat('\s*((format|concat)\s*\(\s*)?(e?''|\$\w*\$)') AS literal
WHERE found[1] ~ '[$.]' OR found[1] = ANY (arguments) OR body ~ concat('\minto\s+(strict\s+)?', found[1], '\M')
  OR body !~ (assigned || literal) OR body ~ concat(assigned, '(?!\s*', found[1], '\M|', literal, ')')`

// immutable is a condition on a row of pg_proc: the planner takes its calls for constants, and yet it may do anything.
var immutable = `pg_proc.oid >= 16384 AND provolatile = 'i' AND NOT ` + trusted + `
  AND prolang IN (SELECT oid FROM pg_language WHERE lanname IN ('sql', 'plpgsql'))`

// foldedQuery names a function of which a session may keep a result with an index, a domain or the key of a partitioned
// table, where no statement takes it back: one without arguments, or that reads a table, whose name is in its body.
// Others get a row's values, so that there is no result to keep.
var foldedQuery = `
SELECT format('a result of function %s may stay in a connection', pg_proc.oid::regprocedure)
FROM pg_depend d JOIN pg_proc ON d.refclassid = 'pg_proc'::regclass AND pg_proc.oid = d.refobjid
WHERE ` + immutable + `
  AND (d.classid = 'pg_class'::regclass AND d.objid IN (SELECT oid FROM pg_class WHERE relkind IN ('i', 'I', 'p'))
    OR d.classid = 'pg_constraint'::regclass AND d.objid IN (SELECT oid FROM pg_constraint WHERE contypid <> 0))
  AND (pronargs = 0 OR EXISTS (SELECT FROM pg_class c WHERE c.oid >= 16384 AND relkind IN ('r', 'p', 'v', 'm', 'f')
    AND concat(prosrc, pg_get_function_sqlbody(pg_proc.oid)) ~*
      concat('\m(from|join)\s+(only\s+)?([\w"]+\.)?"?', regexp_replace(relname, '\W', '.', 'g'), '\M')))
ORDER BY pg_proc.oid LIMIT 1`

// settings selects what functions set for as long as they run (CREATE FUNCTION ... SET), a row each.
var settings = `
SELECT oid, split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value
FROM pg_proc, unnest(proconfig) AS c WHERE oid >= 16384 AND NOT ` + trusted

// ambiguousQuery names a function that PL/pgSQL may have compiled, for the rest of the session, with the types that
// names had in another's search_path. (Plans are made anew where the path is another.) It counts names in schemas that
// are in any search_path, the usual one included; where pg_catalog comes first, it is where it always is.
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
    WHERE schema IN (
      SELECT oid FROM pg_namespace WHERE nspname IN (
        SELECT 'public' UNION ALL SELECT '` + Role + `'
        UNION ALL SELECT trim(one, ' "') FROM (
          SELECT value FROM (` + settings + `) AS s WHERE name = 'search_path'
          UNION ALL SELECT substr(c, 13) FROM pg_db_role_setting, unnest(setconfig) AS c WHERE c LIKE 'search\_path=%'
        ) AS paths (path), regexp_split_to_table(regexp_replace(path, '^[ "]*pg_catalog[ "]*(,|$)', ''), ',') AS one))
    GROUP BY name HAVING count(DISTINCT schema) > 1)
ORDER BY f.oid LIMIT 1`

// leaves matches a body with SET, RESET or their like where a statement begins, or a string that may be executed, once
// its comments are gone (UPDATE ... SET role = ... begins nothing), or with a [Moment].
const leaves = `(^|[;']|\$\w*\$|>>|\m(begin|then|else|loop)\M)\s*((re)?set\s|prepare\s+\w+\s*(\(|as\M)|deallocate\s|load\s+')|` + Moment

// Moment is a regular expression, of PostgreSQL's and of Go's, for text in lower case: literals that mean another date
// or time each time they are read, such as 'now', '10:00 today', 'allballs today' and, in ranges and arrays, behind any
// letter '[2020-01-01t00:00:00z,now]'. A call of now() is none, nor is prose.
const Moment = `('|\$\w*\$)([^'a-z$]*|[^'a-z$]*(infinity|epoch|allballs|am|pm|ad|bc|utc|gmt|z)[^'a-z$]+|\s*[[({][^'$]*[^'$a-z_\s]\s*)` +
	`(now|today|tomorrow|yesterday)\s*([^a-z_(\s]|$)`

// setsAParameter matches functions that do.
const setsAParameter = `\m(set_config|setseed)\M`

// stateless are extensions with code in C that keeps nothing in a session but what RESET ALL takes back: those of
// PostgreSQL's contrib but for dblink and postgres_fdw (connections), isn (isn_weak) and refint (plans), and the usual
// ones of others, but for hll (hll_set_defaults).
var stateless = []string{
	"adminpack", "amcheck", "autoinc", "bloom", "btree_gin", "btree_gist", "citext", "cube", "dict_int", "dict_xsyn",
	"earthdistance", "file_fdw", "fuzzystrmatch", "hstore", "insert_username", "intagg", "intarray", "lo", "ltree", "moddatetime",
	"old_snapshot", "pageinspect", "pg_buffercache", "pg_freespacemap", "pg_logicalinspect", "pg_overexplain", "pg_prewarm",
	"pg_stat_statements", "pg_surgery", "pg_trgm", "pg_visibility", "pg_walinspect", "pgcrypto", "pgrowlocks", "pgstattuple", "seg",
	"sslinfo", "tablefunc", "tcn", "tsm_system_rows", "tsm_system_time", "unaccent", "uuid-ossp", "xml2",
	"address_standardizer", "ip4r", "pg_uuidv7", "pgrouting", "postgis", "postgis_raster", "postgis_sfcgal",
	"postgis_topology", "prefix", "semver", "vector",
}

// trusted is a condition on a row of pg_proc: the function belongs to one of [stateless].
var trusted = `EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
  WHERE d.classid = 'pg_proc'::regclass AND d.objid = pg_proc.oid AND d.deptype = 'e'
    AND e.extname IN ('` + strings.Join(stateless, "', '") + `'))`
