package cells

import (
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// broken reports whether an error came from the connection, not from a statement: the server may have ended.
func broken(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return strings.HasPrefix(pg.Code, "57P0") // shutdown, crash, cannot connect now
	}
	var network *net.OpError
	var connecting *pgconn.ConnectError
	return errors.As(err, &network) && !network.Timeout() || errors.As(err, &connecting) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}
