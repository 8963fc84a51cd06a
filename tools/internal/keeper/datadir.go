package keeper

import (
	"os"
	"path/filepath"

	"github.com/pgcell/pgcell/tools/internal/held"
	"github.com/pgcell/pgcell/tools/internal/storage"
)

// makeDataDir gives the server a directory: the caller's, or one in memory that vanishes with the mount namespace, or a
// held one.
func (k *keeper) makeDataDir() (err error) {
	switch {
	case k.job.DataDir != "":
		k.dataDir = k.job.DataDir
		return os.MkdirAll(k.dataDir, 0o700)
	case k.place.Memory && k.memory != "":
		k.dataDir = filepath.Join(k.memory, held.DataName)
	case k.place.Memory:
		if k.held, err = held.Make(storage.MemoryDir); err != nil {
			return err
		}
		k.dataDir = filepath.Join(k.held.Path(), held.DataName)
	default:
		if k.held, err = k.holdOnDisk(); err != nil {
			return err
		}
		k.dataDir = filepath.Join(k.held.Path(), held.DataName)
	}
	if err := os.Mkdir(k.dataDir, 0o700); err != nil {
		return err
	}
	return os.Mkdir(FilesDir(k.dataDir), 0o700)
}

// leaveMemory takes back what fillAndStart did, so that it can be done on disk.
func (k *keeper) leaveMemory() error {
	k.filled() // of interest is that it has ended
	k.abort()
	held.FreeSharedMemory(k.dataDir)
	k.log.Close()
	k.place = storage.Place{}
	if k.held != nil {
		dir := k.held
		k.held = nil
		return dir.Remove()
	}
	if err := os.RemoveAll(FilesDir(k.dataDir)); err != nil {
		return err
	}
	return os.RemoveAll(k.dataDir)
}

// filesDir is a directory beside a private data directory, for files of the server's that lie outside of it, such as
// tablespaces.
func FilesDir(dataDir string) string { return filepath.Join(filepath.Dir(dataDir), "files") }
