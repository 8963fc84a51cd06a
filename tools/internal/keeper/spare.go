package keeper

import (
	"os"
	"path/filepath"

	"github.com/pgcell/pgcell/tools/internal/held"
)

// spare makes a directory on disk that the server can write to, once, and gives its path.
func (k *keeper) spare() (string, error) {
	if k.spareDir == nil {
		dir, err := k.holdOnDisk()
		if err != nil {
			return "", err
		}
		if err := k.openTo(dir); err != nil {
			dir.Remove()
			return "", err
		}
		k.spareDir = dir
	}
	return filepath.Join(k.spareDir.Path(), spareName), nil
}

// openTo makes the directory in a held one that the server gets.
func (k *keeper) openTo(parent *held.Dir) error {
	dir := filepath.Join(parent.Path(), spareName)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	credential := k.serverAttr().Credential
	if credential == nil {
		return nil
	}
	if err := os.Chown(dir, int(credential.Uid), int(credential.Gid)); err != nil {
		return err
	}
	return os.Chmod(parent.Path(), 0o711)
}
