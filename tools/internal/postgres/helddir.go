package postgres

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	heldPrefix = "pgcell-"
	lockName   = "lock"
	// youngest is how old a directory without a lock file must be before Sweep takes it for abandoned: its maker may be
	// between mkdir and open.
	youngest = time.Minute
)

// heldName is what HoldDir calls directories, and nothing else does: a user's own may begin with pgcell- too.
var heldName = regexp.MustCompile(`^` + heldPrefix + `[0-9a-f]{8}$`)

// HeldDir is a directory that its owner holds by a lock on a file in it. The kernel lets go of the lock however the
// owner ends, so that [Sweep] can tell an abandoned directory from one in use.
type HeldDir struct {
	path string
	lock *os.File
}

// HoldDir makes a directory pgcell-<8 hex digits> below parent, mode 0700, and locks it. Remove it, or let the process
// end and the next start sweep it away; a data directory in it must be called "data".
func HoldDir(parent string) (*HeldDir, error) {
	for try := 0; ; try++ {
		var id [4]byte
		rand.Read(id[:]) // never fails, since Go 1.24
		path := filepath.Join(parent, heldPrefix+hex.EncodeToString(id[:]))
		err := os.Mkdir(path, 0o700)
		if os.IsExist(err) && try < 100 {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("make directory for a server: %w", err)
		}
		held, err := hold(path)
		if err != nil {
			os.RemoveAll(path)
			return nil, fmt.Errorf("lock %q: %w", path, err)
		}
		if held != nil {
			return held, nil
		}
	}
}

// hold locks a new directory. It gives nil where a sweep came between the making of the lock file and the locking, and
// took the directory for an abandoned one.
func hold(path string) (*HeldDir, error) {
	name := filepath.Join(path, lockName)
	lock, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		lock.Close()
		return nil, err
	}
	mine, err := lock.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Stat(name); err == nil && os.SameFile(mine, there) {
			return &HeldDir{path: path, lock: lock}, nil
		}
	}
	lock.Close()
	if os.IsNotExist(err) {
		return nil, nil
	}
	return nil, err
}

// Path is the directory's path.
func (d *HeldDir) Path() string { return d.path }

// Remove deletes the directory and lets go of the lock, in this order.
func (d *HeldDir) Remove() error {
	defer d.lock.Close()
	return os.RemoveAll(d.path)
}

// Sweep removes what killed servers left below parent: directories pgcell-<8 hex digits> of this user with a lock that
// nobody holds. A server that still runs in one is stopped first. It returns what it removed. Safe to call at any time
// and from several processes at once.
func Sweep(parent string) []string {
	entries, _ := os.ReadDir(parent) // an unreadable parent holds nothing of ours
	var removed []string
	for _, e := range entries {
		path := filepath.Join(parent, e.Name())
		if e.IsDir() && heldName.MatchString(e.Name()) && sweepOne(path) {
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
	killServerIn(filepath.Join(path, dataName))
	return os.RemoveAll(path) == nil
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
	defer freeSharedMemory(dataDir)
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
