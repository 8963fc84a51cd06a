package cache

import (
	"os"

	"github.com/pgcell/pgcell/tools/internal/keeper"
	"github.com/pgcell/pgcell/tools/internal/storage"
)

// Environ is what variables of the environment say of every server.
type Environ struct {
	Containment  keeper.Containment // PGCELL_CONTAINMENT
	Storage      storage.Kind       // PGCELL_STORAGE
	SocketParent string             // see [SocketParent]
}

// ReadEnviron reads the variables.
//
// Errors: a value means nothing.
func ReadEnviron() (e Environ, err error) {
	if e.Containment, err = keeper.ParseContainment(os.Getenv("PGCELL_CONTAINMENT")); err != nil {
		return e, err
	}
	e.SocketParent = SocketParent()
	e.Storage, err = storage.Parse(os.Getenv("PGCELL_STORAGE"))
	return e, err
}

// SocketParent is the directory in which the socket directories of servers are made; "" leaves it to them.
func SocketParent() string { return os.Getenv("PGCELL_SOCKET_DIR") }
