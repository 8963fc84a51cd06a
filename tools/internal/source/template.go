package source

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/cache"
	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/golden"
)

// Template is a golden cluster, and how a server runs on it.
type Template struct {
	Golden   string            // path of the file
	Install  binaries.Install  // that it was made with
	Settings map[string]string // additional parameters of the server
	Password string            // of the role, which the server checks: see [cells.Config.RolePassword]
	// Superuser is whether the role may do all, as [Own] needs it.
	Superuser bool
	Warn      func(string) // is told what users should know
}

// connections is max_connections: suites open pools of their own, in as many processes as run at once.
const connections = "500"

// Start starts a server. Variables of the environment, PGCELL_CONTAINMENT, PGCELL_STORAGE, PGCELL_RECYCLE and
// PGCELL_SOCKET_DIR, say how it runs.
//
// Errors: those of [cells.Open]; a variable has a value that is not known.
func (t Template) Start(ctx context.Context) (*cells.Cluster, error) {
	e, err := cache.ReadEnviron()
	if err != nil {
		return nil, err
	}
	recycle, err := cells.ParseRecycle(os.Getenv("PGCELL_RECYCLE"))
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(t.Golden)
	if err != nil {
		return nil, err
	}
	m, err := golden.ReadManifest(path)
	if err != nil {
		return nil, err
	}
	settings := maps.Clone(t.Settings)
	if settings == nil {
		settings = map[string]string{}
	}
	if m.Settings["max_connections"] == "" && settings["max_connections"] == "" {
		settings["max_connections"] = connections
	}
	return cells.Open(ctx, cells.Config{
		Golden: path, Install: t.Install, Containment: e.Containment, SocketParent: e.SocketParent, Storage: e.Storage,
		Recycle: recycle, Settings: settings, RolePassword: t.Password, NewName: newName, Warn: t.Warn,
		Superuser: t.Superuser,
	})
}

// newName is the name of a database that nobody has yet.
func newName() string {
	var id [4]byte
	rand.Read(id[:])
	return "test_db_spare_" + hex.EncodeToString(id[:])
}
