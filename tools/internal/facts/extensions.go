package facts

import (
	"strings"
)

// stateless are extensions with code in C that keeps nothing in a session but what DISCARD ALL takes back: those of
// PostgreSQL's contrib but for dblink and postgres_fdw (connections), isn (isn_weak) and refint (plans), and the usual
// ones of others, but for hll (hll_set_defaults) and pgrouting (which executes texts that it is given).
var stateless = []string{
	"adminpack", "amcheck", "autoinc", "bloom", "btree_gin", "btree_gist", "citext", "cube", "dict_int", "dict_xsyn",
	"earthdistance", "file_fdw", "fuzzystrmatch", "hstore", "insert_username", "intagg", "intarray", "lo", "ltree", "moddatetime",
	"old_snapshot", "pageinspect", "pg_buffercache", "pg_freespacemap", "pg_logicalinspect", "pg_overexplain", "pg_prewarm",
	"pg_stat_statements", "pg_surgery", "pg_trgm", "pg_visibility", "pg_walinspect", "pgcrypto", "pgrowlocks", "pgstattuple", "seg",
	"sslinfo", "tablefunc", "tcn", "tsm_system_rows", "tsm_system_time", "unaccent", "uuid-ossp", "xml2",
	"address_standardizer", "ip4r", "pg_uuidv7", "postgis", "postgis_raster", "postgis_sfcgal",
	"postgis_topology", "prefix", "semver", "vector",
}

// trusted is a condition on a row of pg_proc: the function belongs to one of [stateless].
var trusted = `EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
  WHERE d.classid = 'pg_proc'::regclass AND d.objid = pg_proc.oid AND d.deptype = 'e'
    AND e.extname IN ('` + strings.Join(stateless, "', '") + `'))`
