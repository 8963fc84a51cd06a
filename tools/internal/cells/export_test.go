package cells

import "github.com/jackc/pgx/v5/pgxpool"

// Reclaim ends connections that tests have not used for a second.
func (c *Cluster) Reclaim() { c.reclaim() }

// OpenPool gives a pool as Pool does, which Return does not know of: one whose user is connecting at that moment.
func (l *Lease) OpenPool() (*pgxpool.Pool, error) { return l.cell.openPool(narrow) }
