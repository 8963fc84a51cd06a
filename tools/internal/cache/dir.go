package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pgcell/pgcell/tools/internal/storage"
)

// The user's cache directory as the program starts with it: a test that sets HOME for itself takes one that goes with the
// test.
var userCache, noUserCache = os.UserCacheDir()

// Dir is where golden clusters are kept: what PGCELL_CACHE names, else the user's cache directory, or one of the user's in
// a temporary directory where there is none to write to, as in a sandbox, which takes that with it.
//
// Errors: there is no directory that this user alone can write to.
func Dir() (string, error) {
	if dir := os.Getenv("PGCELL_CACHE"); dir != "" {
		return filepath.Abs(dir) // the keeper works in another directory
	}
	if noUserCache == nil {
		dir := filepath.Join(userCache, "pgcell", "golden")
		if os.MkdirAll(dir, 0o755) == nil && writable(dir) {
			return dir, nil
		}
	}
	err := errors.New("there is no user's cache directory, nor a temporary one")
	for _, base := range storage.TempDirs {
		if base == "" {
			continue
		}
		dir := filepath.Join(base, fmt.Sprintf("pgcell-golden-%d", os.Getuid()))
		if err = makePrivate(dir); err == nil {
			return dir, nil
		}
	}
	return "", err
}

// makePrivate makes a directory, where others may make theirs, that this user alone can write to: whoever can may give
// the server settings, and so programs to run.
func makePrivate(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if s, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(s.Uid) != os.Getuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%q is not this user's alone", dir)
	}
	return nil
}

func writable(dir string) bool {
	f, err := os.CreateTemp(dir, ".probe-")
	if err != nil {
		return false
	}
	f.Close()
	return os.Remove(f.Name()) == nil
}
