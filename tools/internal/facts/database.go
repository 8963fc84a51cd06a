package facts

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// DatabaseSettings is a query's expression for the parameters of a database, and of roles in it (ALTER DATABASE ... SET,
// ALTER ROLE ... IN DATABASE ... SET). oid is an expression for the database's.
func DatabaseSettings(oid string) string {
	return "(SELECT coalesce(string_agg(setrole || setconfig::text, ' ' ORDER BY setrole), '') FROM pg_db_role_setting" +
		" WHERE setdatabase = " + oid + ")"
}

// ofDatabase reads what CREATE DATABASE does not copy of the template conn is in: parameters, and rights on the
// database.
func (f *Template) ofDatabase(ctx context.Context, conn *pgx.Conn) (err error) {
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
func (f *Template) Dress(clone, template string) string {
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
func (f *Template) Undress(clone string) string {
	if f.Settings == "" {
		return ""
	}
	return fmt.Sprintf("BEGIN; SET LOCAL track_counts = off; DELETE FROM pg_db_role_setting WHERE setdatabase ="+
		" (SELECT oid FROM pg_database WHERE datname = '%s'); COMMIT", strings.ReplaceAll(clone, "'", "''"))
}

// RoleSettings is a query's expression for the parameters that roles have in every database (ALTER ROLE ... SET).
const RoleSettings = "coalesce((SELECT json_agg(json_build_object('role', setrole, 'config', setconfig) ORDER BY setrole)" +
	" FROM pg_db_role_setting WHERE setdatabase = 0)::text, '[]')"
