package golden

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// DatabaseSettings is a query's expression for the parameters of a database, and of roles in it (ALTER DATABASE ... SET,
// ALTER ROLE ... IN DATABASE ... SET). oid is an expression for the database's.
func DatabaseSettings(oid string) string {
	return "(SELECT coalesce(string_agg(setrole || setconfig::text, ' ' ORDER BY setrole), '') FROM pg_db_role_setting" +
		" WHERE setdatabase = " + oid + ")"
}

// ofDatabase reads what CREATE DATABASE does not copy of the template conn is in: parameters, and rights on the
// database.
func (f *Facts) ofDatabase(ctx context.Context, conn *pgx.Conn) (err error) {
	const current = "(SELECT oid FROM pg_database WHERE datname = current_database())"
	if err = conn.QueryRow(ctx, "SELECT "+DatabaseSettings(current)).Scan(&f.Settings); err != nil {
		return err
	}
	f.Grants, err = collect[string](ctx, conn, `
SELECT format('%s ON DATABASE %%s TO %s%s', 'GRANT ' || privilege_type, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
  CASE WHEN is_grantable AND grantee <> 0 THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_database, aclexplode(datacl) WHERE datname = current_database() AND grantee <> datdba ORDER BY 1`)
	if err != nil {
		return err
	}
	var changed bool
	if err = conn.QueryRow(ctx, "SELECT datacl IS NOT NULL FROM pg_database WHERE datname = current_database()").Scan(&changed); changed {
		f.Grants = append([]string{"REVOKE ALL ON DATABASE %s FROM PUBLIC"}, f.Grants...)
	}
	return err
}

// Dress gives statements, to be sent as one, that give a clone of a template what CREATE DATABASE does not copy; "" where
// there is nothing. The counters of pg_db_role_setting, by which a recycler sees what tests do to it, do not count that.
func (f *Facts) Dress(clone, template string) string {
	if f.Settings == "" && len(f.Grants) == 0 {
		return ""
	}
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	all := []string{"BEGIN", "SET LOCAL track_counts = off"}
	if f.Settings != "" {
		all = append(all, "INSERT INTO pg_db_role_setting SELECT c.oid, setrole, setconfig FROM pg_db_role_setting, pg_database t, pg_database c"+
			" WHERE setdatabase = t.oid AND t.datname = "+quote(template)+" AND c.datname = "+quote(clone))
	}
	for _, grant := range f.Grants {
		on, to, _ := strings.Cut(grant, "%s")
		all = append(all, on+pgx.Identifier{clone}.Sanitize()+to)
	}
	return strings.Join(append(all, "COMMIT"), "; ")
}

// Undress gives statements that take a clone's parameters, which DROP DATABASE would take and count; "" where there are
// none.
func (f *Facts) Undress(clone string) string {
	if f.Settings == "" {
		return ""
	}
	return fmt.Sprintf("BEGIN; SET LOCAL track_counts = off; DELETE FROM pg_db_role_setting WHERE setdatabase ="+
		" (SELECT oid FROM pg_database WHERE datname = '%s'); COMMIT", strings.ReplaceAll(clone, "'", "''"))
}

// ownSettings are parameters that pgcell gives to each server.
var ownSettings = []string{
	"port", "listen_addresses", "unix_socket_directories", "unix_socket_permissions", "unix_socket_group", "hba_file", "ident_file",
	"external_pid_file", "log_destination", "logging_collector",
}

// checkSystem refuses those that a migration has set by ALTER SYSTEM, which would hold over pgcell's.
func (b *builder) checkSystem() error {
	return b.as(Superuser, "postgres", func(conn *pgx.Conn) error {
		const query = "SELECT name FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf' AND name = ANY ($1) ORDER BY 1"
		names, err := collect[string](b.ctx, conn, query, ownSettings)
		if err != nil {
			return fmt.Errorf("read what ALTER SYSTEM has set: %w", err)
		}
		if len(names) > 0 {
			return fmt.Errorf("a migration says ALTER SYSTEM SET %s, which pgcell sets for each server by itself; take that out of it",
				strings.Join(names, ", "))
		}
		return nil
	})
}

// undefinedDatabase is the SQLSTATE for a database that is not there.
const undefinedDatabase = "3D000"

// databaseHint says what to do about a script that names production's database; "" where a migration failed for another
// reason.
func databaseHint(err error) string {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != undefinedDatabase {
		return ""
	}
	return "a template has a name of its own: ask for it, as in DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO reader', " +
		"current_database()); END $$"
}
