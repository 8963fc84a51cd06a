package renew

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// querier is a connection, or a pool of them.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// minMajor is the first version of PostgreSQL whose counters can be read at once.
const minMajor = 15

// Uncounted says why the server's counters may not account for all that tests change; "" if they do. conn is the
// superuser's. Ask it when the server has started and nobody else has connected: parameters come from files, roles and
// databases, and rights from migrations.
//
// Errors: those of the connection.
func Uncounted(ctx context.Context, conn querier, major int) (reason string, err error) {
	if major < minMajor {
		return "PostgreSQL 14 does not tell at once what has changed", nil
	}
	if err := conn.QueryRow(ctx, uncountedSQL, major).Scan(&reason); err != nil {
		return "", fmt.Errorf("ask whether the server counts all changes: %w", err)
	}
	return reason, nil
}

// uncountedSQL asks, in this order, whether
//   - the counters are on, and no worker of the server's changes tables by itself;
//   - a role or a database has the counters off;
//   - a role may set a parameter, other than a few, or change one for the whole server;
//   - there is a second superuser who may log in;
//   - a role may become a superuser, by itself or through the server's files and programs. Before PostgreSQL 16,
//     CREATEROLE makes its holder a member of any role but superusers.
//
// $1 is the server's major version.
const uncountedSQL = `
SELECT coalesce((
  SELECT format('the server has %s = %s', name, setting) FROM pg_settings
  WHERE (name, setting) IN (('track_counts', 'off'), ('autovacuum', 'on')) ORDER BY name DESC LIMIT 1), (
  SELECT format('%s has %s', coalesce('role ' || setrole::regrole, 'a database'), c)
  FROM (SELECT nullif(setrole, 0) AS setrole, unnest(setconfig) AS c FROM pg_db_role_setting) AS s
  WHERE lower(c) LIKE 'track\_counts=%' LIMIT 1), (
  SELECT format('role %s may change parameter %s', CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, parname)
  FROM pg_parameter_acl, aclexplode(paracl) WHERE grantee <> 10 AND (privilege_type <> 'SET' OR
    parname !~ '^(session_replication_role|lc_messages|deadlock_timeout|temp_file_limit|log_.*|.*\..*)$')
  LIMIT 1), (
  SELECT format('role %I is a superuser', rolname) FROM pg_roles WHERE rolsuper AND rolcanlogin AND oid <> 10 LIMIT 1), (
  SELECT format('role %s is a member of %s', member::regrole, rolname) FROM pg_auth_members m JOIN pg_roles r ON r.oid = roleid
  WHERE member >= 16384 AND (rolsuper OR roleid < 16384) AND rolname NOT IN ('pg_checkpoint', 'pg_database_owner',
    'pg_maintain', 'pg_monitor', 'pg_read_all_data', 'pg_read_all_settings', 'pg_read_all_stats', 'pg_signal_backend',
    'pg_stat_scan_tables', 'pg_use_reserved_connections', 'pg_write_all_data') LIMIT 1), (
  SELECT format('role %I may make itself a member of pg_execute_server_program', rolname) FROM pg_roles
  WHERE rolcreaterole AND NOT rolsuper AND $1 < 16 LIMIT 1), '')`
