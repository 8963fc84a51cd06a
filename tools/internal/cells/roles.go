package cells

import (
	"context"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// takeBackParameters is restoreRoles for a cell that is about to be dropped: an error is told about.
func (c *Cluster) takeBackParameters(ctx context.Context) {
	if err := c.restoreRoles(ctx); err != nil && c.server.Err() == nil {
		c.warn("take back what a role was given: " + err.Error())
	}
}

// restoreRoles takes back parameters that a test gave to a role (ALTER ROLE ... SET), which hold in every database of
// the server. Other tests that run at the same time cannot be kept from them: it waits until none does.
func (c *Cluster) restoreRoles(ctx context.Context) error {
	if c.cloned.inUse() || c.empty.inUse() {
		return nil // the next that is taken back will see to it
	}
	var now string
	if err := c.admin.QueryRow(ctx, "SELECT "+golden.RoleSettings).Scan(&now); err != nil {
		return err
	}
	if now == c.manifest.Facts.Roles {
		return nil
	}
	tx, err := c.admin.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if _, err := tx.Exec(ctx, "DELETE FROM pg_db_role_setting WHERE setdatabase = 0"); err != nil {
		return err
	}
	const put = "INSERT INTO pg_db_role_setting (setdatabase, setrole, setconfig)" +
		" SELECT 0, role, config FROM json_to_recordset($1::json) AS x(role oid, config text[])"
	if _, err := tx.Exec(ctx, put, c.manifest.Facts.Roles); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	c.shed() // sessions that were opened meanwhile have them still
	return nil
}

func (p *pool) inUse() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.leased > 0
}
