package held

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// keptName is a file in the socket directory of a server that outlasts the process that started it.
const keptName = "kept"

// Mark says of a socket directory that its server outlasts the process that started it. Without the mark, which
// cannot always be made, only gc misses it.
func Mark(dir string) { _ = os.WriteFile(filepath.Join(dir, keptName), nil, 0o600) }

// Kept lists the socket directories below parent of servers that have outlasted their processes and still run.
func Kept(parent string) []string {
	marks, _ := filepath.Glob(filepath.Join(parent, prefix+"*", keptName)) // the pattern is well formed
	var found []string
	for _, mark := range marks {
		dir := filepath.Dir(mark)
		if made.MatchString(filepath.Base(dir)) && isHeld(dir) {
			found = append(found, dir)
		}
	}
	return found
}

// held reports whether somebody holds the lock of a directory.
func isHeld(dir string) bool {
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer lock.Close()
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil
}

// EndKept ends the server of a socket directory that [Kept] has listed, by the directory's removal, and waits for it.
func EndKept(dir string) error {
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("end the server: %w", err)
	}
	defer lock.Close()
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("end the server: %w", err)
	}
	const patience = 10 * time.Second
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("end the server: it still runs after %v: end the process \"pgcell\" that holds %s", patience, dir)
		}
	}
}
