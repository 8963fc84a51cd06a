package held

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// youngest is how old a directory without a lock file must be before Sweep takes it for abandoned: its maker may be
// between mkdir and open.
const youngest = time.Minute

// Sweep removes what killed servers left below parent: directories pgcell-<8 hex digits> of this user with a lock that
// nobody holds. A server that still runs in one is stopped first. It returns what it removed. Safe to call at any time
// and from several processes at once.
func Sweep(parent string) []string {
	entries, _ := os.ReadDir(parent) // an unreadable parent holds nothing of ours
	var removed []string
	for _, e := range entries {
		path := filepath.Join(parent, e.Name())
		if e.IsDir() && made.MatchString(e.Name()) && sweepOne(path) {
			removed = append(removed, path)
		}
	}
	return removed
}

func sweepOne(path string) bool {
	lock, ours := claim(path)
	if !ours {
		return false
	}
	if lock == nil {
		return os.Remove(path) == nil // where it is empty
	}
	defer lock.Close()
	killServerIn(filepath.Join(path, DataName))
	return Remove(path) == nil
}

// Abandoned lists what [Sweep] would remove below parent, and removes nothing.
func Abandoned(parent string) []string {
	entries, _ := os.ReadDir(parent) // an unreadable parent holds nothing of ours
	var found []string
	for _, e := range entries {
		path := filepath.Join(parent, e.Name())
		if e.IsDir() && made.MatchString(e.Name()) && abandoned(path) {
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

// claim takes the lock of a directory of this user's that nobody holds. lock is nil where there is none: somebody was
// killed before it was made, or is about to make it if the directory is young, which is then not ours.
func claim(path string) (lock *os.File, ours bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, false
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && os.Getuid() != 0 && int(st.Uid) != os.Getuid() {
		return nil, false
	}
	lock, err = os.OpenFile(filepath.Join(path, lockName), os.O_RDWR, 0)
	if os.IsNotExist(err) {
		return nil, time.Since(info.ModTime()) > youngest
	}
	if err != nil {
		return nil, false
	}
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		lock.Close()
		return nil, false
	}
	return lock, true
}

// killServerIn ends the postmaster of a data directory, where the process with the recorded id really works there, and
// frees what it had.
func killServerIn(dataDir string) {
	defer FreeSharedMemory(dataDir)
	text, err := os.ReadFile(filepath.Join(dataDir, "postmaster.pid"))
	if err != nil {
		return
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil || pid <= 1 {
		return
	}
	works := func() bool {
		cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
		return err == nil && cwd == dataDir
	}
	if !works() {
		return
	}
	syscall.Kill(pid, syscall.SIGQUIT)
	for deadline := time.Now().Add(2 * time.Second); works() && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	if works() {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}
