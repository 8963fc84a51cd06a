package conns

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestBroken(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		&pgconn.PgError{Code: "57P02"}:                                true,  // crash_shutdown
		&pgconn.PgError{Code: "57014"}:                                false, // query_canceled
		&pgconn.PgError{Code: "42P01"}:                                false,
		fmt.Errorf("look: %w", io.ErrUnexpectedEOF):                   true,
		&net.OpError{Op: "write", Err: syscall.EPIPE}:                 true,
		&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}:         false,
		context.DeadlineExceeded:                                      false,
		errors.New("page 7 of pg_class has no room for new versions"): false,
	} {
		if got := Broken(err); got != want {
			t.Errorf("Broken(%v) = %v, want %v", err, got, want)
		}
	}
}
