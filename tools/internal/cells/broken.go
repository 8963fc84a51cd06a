package cells

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// broken reports whether an error came from the connection, not from a statement: the server may have ended.
func broken(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code[:2] == "57" // operator intervention: shutdown, crash, cannot connect now
	}
	return true
}
