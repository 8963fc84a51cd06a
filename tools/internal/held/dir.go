package held

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
)

const (
	// DataName is what a data directory in a held directory must be called: [Sweep] ends the server that works there.
	DataName = "data"
	// Example has the form, and so the length, of all held directories' names.
	Example = prefix + "01234567"

	prefix   = "pgcell-"
	lockName = "lock"
)

// made is what Make calls directories, and nothing else does: a user's own may begin with pgcell- too.
var made = regexp.MustCompile(`^` + prefix + `[0-9a-f]{8}$`)

// Dir is a directory that its owner holds by a lock on a file in it. The kernel lets go of the lock however the
// owner ends, so that [Sweep] can tell an abandoned directory from one in use.
type Dir struct {
	path string
	lock *os.File
}

// Make makes a directory pgcell-<8 hex digits> below parent, mode 0700, and locks it. Remove it, or let the process
// end and the next start sweep it away; a data directory in it must be called [DataName].
func Make(parent string) (*Dir, error) {
	for try := 0; ; try++ {
		var id [4]byte
		rand.Read(id[:]) // never fails, since Go 1.24
		path := filepath.Join(parent, prefix+hex.EncodeToString(id[:]))
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
func hold(path string) (*Dir, error) {
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
			return &Dir{path: path, lock: lock}, nil
		}
	}
	lock.Close()
	if os.IsNotExist(err) {
		return nil, nil
	}
	return nil, err
}

// Lock is the file with the lock. A child process that inherits it holds the directory too. Do not close it.
func (d *Dir) Lock() *os.File { return d.lock }

// Path is the directory's path.
func (d *Dir) Path() string { return d.path }

// Remove deletes the directory and lets go of the lock, in this order.
func (d *Dir) Remove() error {
	defer d.lock.Close()
	return Remove(d.path)
}

// Remove deletes a held directory, its lock file last: if the caller is killed before that, [Sweep] goes on.
func Remove(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for _, e := range entries {
		if e.Name() == lockName {
			continue
		}
		if err := os.RemoveAll(filepath.Join(path, e.Name())); err != nil {
			return err
		}
	}
	return os.RemoveAll(path)
}
