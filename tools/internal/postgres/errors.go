package postgres

import (
	"fmt"

	"github.com/pgcell/pgcell/tools/internal/keeper"
)

// SocketPathError says that a Unix socket's path would be longer than the system allows.
type SocketPathError struct {
	Path  string
	Limit int // bytes
}

func (e *SocketPathError) Error() string {
	return fmt.Sprintf("make socket directory for %q: the path has %d bytes, and this system allows %d; "+
		"set PGCELL_SOCKET_DIR to a shorter directory, such as /tmp", e.Path, len(e.Path), e.Limit)
}

// ContainmentError says that a forced containment cannot be had on this system.
type ContainmentError struct {
	Containment keeper.Containment
	Reason      string
}

func (e *ContainmentError) Error() string {
	return fmt.Sprintf("contain server by %s: %s; set PGCELL_CONTAINMENT=auto to let pgcell choose", e.Containment, e.Reason)
}
