package clone

import (
	"context"

	"github.com/pgcell/pgcell/tools/internal/facts"
)

// RestoreRoles takes back parameters that a test gave to a role (ALTER ROLE ... SET), which hold in every database of the
// server. restored reports whether there were any.
//
// Errors: those of the connection.
func (c *Cloner) RestoreRoles(ctx context.Context) (restored bool, err error) {
	var now string
	if err := c.admin.QueryRow(ctx, "SELECT "+facts.RoleSettings).Scan(&now); err != nil || now == c.manifest.Facts.Roles {
		return false, err
	}
	tx, err := c.admin.Begin(ctx)
	if err != nil {
		return false, err
	}
	defer tx.Rollback(ctx)
	if _, err := tx.Exec(ctx, "DELETE FROM pg_db_role_setting WHERE setdatabase = 0"); err != nil {
		return false, err
	}
	const put = "INSERT INTO pg_db_role_setting (setdatabase, setrole, setconfig)" +
		" SELECT 0, role, config FROM json_to_recordset($1::json) AS x(role oid, config text[])"
	if _, err := tx.Exec(ctx, put, c.manifest.Facts.Roles); err != nil {
		return false, err
	}
	return true, tx.Commit(ctx)
}
