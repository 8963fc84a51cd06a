package cells

import "context"

// vacuumNames is after how many renames pg_database is vacuumed: each leaves a dead row of 300 bytes, and entries in its
// indexes, which every connection reads.
const vacuumNames = 500

// renamed counts a rename.
func (c *Cluster) renamed() {
	if c.renames.Add(1)%vacuumNames != 0 {
		return
	}
	c.behind(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		// TRUNCATE would keep connections waiting.
		if _, err := c.admin.Exec(ctx, "VACUUM (TRUNCATE OFF) pg_database"); err != nil && c.server.Err() == nil {
			c.warn("vacuum the names of cells: " + err.Error())
		}
	})
}
