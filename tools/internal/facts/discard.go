package facts

import (
	"strings"
)

// discardQuery says what is against using a clone again: rows that no counter counts, and code that may do what only a
// superuser may. What holds for the whole server is asked when it runs: see package renew.
var discardQuery = `
SELECT coalesce((
  SELECT format('table %s has the access method %s', c.oid::regclass, a.amname)
  FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE c.relkind IN ('r', 'm', 't') AND a.amname <> 'heap' LIMIT 1), (
  SELECT format('function %s sets track_counts', p.oid::regprocedure)
  FROM pg_proc p, unnest(proconfig) c WHERE lower(c) LIKE 'track\_counts=%' LIMIT 1), (
  SELECT format('function %s runs with the rights of superuser %s', p.oid::regprocedure, rolname)
  FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
  WHERE p.oid >= 16384 AND prosecdef AND rolsuper AND NOT ` + ofKnownExtension + ` LIMIT 1), (
  SELECT format('function %s is in language %s', p.oid::regprocedure, lanname)
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
  WHERE p.oid >= 16384 AND NOT lanpltrusted AND lanname <> 'sql' AND NOT ` + ofKnownExtension + ` LIMIT 1), (
  SELECT format('function %s has other privileges than PostgreSQL or its extension gave it', p.oid::regprocedure)
  FROM pg_proc p JOIN pg_init_privs i ON i.classoid = 'pg_proc'::regclass AND i.objoid = p.oid,
    aclexplode(proacl) AS a
  WHERE a.grantee NOT IN (10, p.proowner) AND NOT EXISTS (SELECT FROM aclexplode(initprivs) AS b WHERE b.grantee = a.grantee)
  LIMIT 1), (
  SELECT format('event trigger %I fires when a session begins', evtname) FROM pg_event_trigger WHERE evtevent = 'login' LIMIT 1), '')`

// ofKnownExtension is a condition on a row p of pg_proc: the function belongs to an extension whose code in C neither
// changes rows nor counters behind the server's back: one that is [stateless], or has a state of its own in a session.
var ofKnownExtension = `EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    AND e.extname IN ('dblink', 'hll', 'isn', 'postgres_fdw', 'refint', '` + strings.Join(stateless, "', '") + `'))`
