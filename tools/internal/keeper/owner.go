package keeper

import (
	"fmt"
	"os"
	"path/filepath"
)

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
