package clone

import (
	"context"
	"fmt"

	"github.com/pgcell/pgcell/tools/internal/renew"
)

// vacuumNames is after how many renames pg_database is vacuumed: each leaves a dead row of 300 bytes, and entries in its
// indexes, which every connection reads.
const vacuumNames = 500

// Rename gives a database that nobody has a name of its user's.
//
// Errors name the database.
func (c *Cloner) Rename(ctx context.Context, d *renew.Database, name string) error {
	const sql = "UPDATE pg_database SET datname = $1 WHERE oid = $2 AND xmin::text = $3 RETURNING xmin::text"
	if err := c.admin.QueryRow(ctx, sql, name, d.OID, d.Version).Scan(&d.Version); err != nil {
		return fmt.Errorf("name cell %s: %w", name, err)
	}
	return nil
}

// Renamed counts a rename. Each 500th takes some milliseconds longer.
func (c *Cloner) Renamed(ctx context.Context) {
	if c.renames.Add(1)%vacuumNames != 0 {
		return
	}
	// TRUNCATE would keep connections waiting.
	if _, err := c.admin.Exec(ctx, "VACUUM (TRUNCATE OFF) pg_database"); err != nil && c.server.Err() == nil {
		c.warn("vacuum the names of cells: " + err.Error())
	}
}
