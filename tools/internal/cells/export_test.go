package cells

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
)

// OpenPool gives a pool as Pool does, which Return does not know of: one whose user is connecting at that moment.
func (l *Lease) OpenPool() (*pgxpool.Pool, error) {
	return pgxpool.NewWithConfig(context.Background(), l.cell.conns.Config(func(*pgxpool.Config) {}))
}
