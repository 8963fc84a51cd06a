package postgres

import (
	"os"
	"path/filepath"
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
	lock, ours := claim(path)
	if !ours {
		return false
	}
	if lock == nil {
		inside, err := os.ReadDir(path)
		return err == nil && len(inside) == 0
	}
	return lock.Close() == nil
}
