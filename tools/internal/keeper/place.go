package keeper

import (
	"fmt"
	"os"
	"runtime"

	"github.com/pgcell/pgcell/tools/internal/held"
	"github.com/pgcell/pgcell/tools/internal/storage"
)

// choosePlace decides where a private data directory goes.
func (k *keeper) choosePlace() error {
	// By the machine and the control group's quota: a GOMAXPROCS of the user's is for the tests.
	runtime.SetDefaultGOMAXPROCS()
	k.place = storage.Choose(k.job.Storage, k.job.StorageLimit, os.DirFS("/"), runtime.GOMAXPROCS(0))
	if k.job.Containment == Namespaces || k.job.DataDir != "" || !k.place.Memory {
		return nil
	}
	free, err := storage.SharedRoom()
	switch {
	case err != nil && k.job.Storage == storage.Memory:
		return &ServerError{Op: "prepare", Object: fmt.Sprintf("server of PostgreSQL %v", k.job.Version),
			Reason: "keep its data in memory: " + err.Error(), Remedy: "set PGCELL_STORAGE=auto to let pgcell choose"}
	case err != nil, free < storage.Least && k.job.Storage != storage.Memory:
		k.place = storage.Place{}
	}
	return nil
}

// holdOnDisk makes a held directory in the first of the job's disk parents that takes one and that the server can pass
// through.
func (k *keeper) holdOnDisk() (*held.Dir, error) {
	return storage.Hold(k.job.DiskParents, k.serverAttr().Credential != nil)
}

// storage describes the place to people.
func (k *keeper) storage() string {
	if k.dataDir == "" {
		return ""
	}
	if k.memory != "" && k.place.Memory && k.job.DataDir == "" {
		return "memory, at most " + storage.Gigabytes(k.place.Limit)
	}
	dir := k.dataDir
	if k.held != nil {
		dir = k.held.Path()
	}
	if storage.InMemory(dir) {
		return "memory in " + dir
	}
	return "disk in " + dir
}
