package facts

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Cold is cold.
func Cold(ctx context.Context, conn *pgx.Conn) (string, error) { return cold(ctx, conn) }
