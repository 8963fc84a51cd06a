package keeper

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/pgcell/pgcell/tools/internal/binaries"
)

// share gives the server programs that the user whom it runs as may execute: a copy, where those of the job are not open to
// him.
func (k *keeper) share() error {
	if k.programs != nil || k.serverAttr().Credential == nil || binaries.OpenToAll(k.job.BinDir) {
		return nil
	}
	dir, err := k.holdOnDisk()
	if err != nil {
		return k.barred(err)
	}
	k.programs = dir
	if err := os.Chmod(dir.Path(), 0o711); err != nil {
		return k.barred(err)
	}
	bin, err := binaries.CopyToAll(k.job.BinDir, dir.Path())
	if err != nil {
		return k.barred(err)
	}
	k.job.BinDir = bin
	return nil
}

func (k *keeper) barred(err error) error {
	return fmt.Errorf("copy the PostgreSQL in %q, which the user nobody, who the server runs as, may not execute: %w; "+
		"allow user namespaces, run the tests as an ordinary user, or let all users read that directory", k.job.BinDir, err)
}

// own hands the data and the socket directory to the user that the server runs as, where that is not the caller.
func (k *keeper) own() error {
	credential := k.serverAttr().Credential
	if credential == nil {
		return nil
	}
	roots := []string{k.dataDir, k.job.SocketDir}
	if k.held != nil {
		roots = append(roots, FilesDir(k.dataDir))
	}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(path, int(credential.Uid), int(credential.Gid))
		})
		if err != nil {
			return fmt.Errorf("hand %q to the user nobody: %w", root, err)
		}
	}
	if k.held != nil {
		return os.Chmod(k.held.Path(), 0o711) // so that nobody can pass through
	}
	return nil
}
