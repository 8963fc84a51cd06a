package postgres

import (
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/pgcell/pgcell/tools/internal/conf"
	"github.com/pgcell/pgcell/tools/internal/held"
)

// socketPathLimit is the longest path of a Unix socket in bytes: sun_path less its final zero (unix(7); sys/un.h on
// macOS and BSD).
func socketPathLimit() int {
	if runtime.GOOS == "linux" {
		return 107
	}
	return 103
}

// newSocketDir makes a server's socket directory.
func newSocketDir(parent string) (*held.Dir, error) {
	socket := filepath.Join(parent, held.Example, fmt.Sprintf(".s.PGSQL.%d", conf.Port))
	if limit := socketPathLimit(); len(socket) > limit {
		return nil, &SocketPathError{Path: socket, Limit: limit}
	}
	dir, err := held.Make(parent)
	if err != nil {
		return nil, fmt.Errorf("%w; set PGCELL_SOCKET_DIR to a directory that can be written to, such as /tmp", err)
	}
	return dir, nil
}
