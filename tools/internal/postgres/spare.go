package postgres

import (
	"os"
	"path/filepath"
)

// spare makes a directory on disk that the server can write to, once, and gives its path.
func (k *keeper) spare() (string, error) {
	if k.spareDir == nil {
		held, err := k.holdOnDisk()
		if err != nil {
			return "", err
		}
		if err := k.openTo(held); err != nil {
			held.Remove()
			return "", err
		}
		k.spareDir = held
	}
	return filepath.Join(k.spareDir.path, spareName), nil
}

// openTo makes the directory in a held one that the server gets.
func (k *keeper) openTo(held *HeldDir) error {
	dir := filepath.Join(held.path, spareName)
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
	return os.Chmod(held.path, 0o711)
}
