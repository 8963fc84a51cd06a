package postgres

import (
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Abandoned lists what [Sweep] would remove below parent, and removes nothing.
func Abandoned(parent string) []string {
	entries, _ := os.ReadDir(parent) // an unreadable parent holds nothing of ours
	var found []string
	for _, e := range entries {
		path := filepath.Join(parent, e.Name())
		if e.IsDir() && heldName.MatchString(e.Name()) && abandoned(path) {
			found = append(found, path)
		}
	}
	return found
}

func abandoned(path string) bool {
	info, err := os.Lstat(path)
	if err != nil {
		return false
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && os.Getuid() != 0 && int(st.Uid) != os.Getuid() {
		return false
	}
	lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR, 0)
	if os.IsNotExist(err) {
		inside, err := os.ReadDir(path)
		return err == nil && len(inside) == 0 && time.Since(info.ModTime()) > youngest
	}
	if err != nil {
		return false
	}
	defer lock.Close()
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
