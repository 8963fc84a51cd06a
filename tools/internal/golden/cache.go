package golden

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pgcell/pgcell/tools/internal/binaries"
)

// keepUnused is how long a golden cluster stays in a cache directory without being asked for.
const keepUnused = 30 * 24 * time.Hour

// Cached gives the path of the recipe's golden cluster in a cache directory, and builds it where it is not there yet.
// Processes that ask for the same one at once build it once. What nobody asked for in 30 days is removed when another
// is built.
//
// Errors: those of [Build]; a directory that cannot be written to. Cost: that of Build, or about 1 ms.
func Cached(ctx context.Context, dir string, install binaries.Install, r Recipe, o Options) (string, error) {
	path := filepath.Join(dir, r.TemplateName(install)+".pgcell")
	if serves(path, install) {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", CannotKeep(err)
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", CannotKeep(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("lock %q: %w", lock.Name(), err)
	}
	if serves(path, install) { // somebody else has built it meanwhile
		return path, nil
	}
	prune(dir)
	return path, BuildFile(ctx, path, install, r, o)
}

// serves reports whether a file is there and whole, and marks it as used.
func serves(path string, install binaries.Install) bool {
	m, err := ReadManifest(path)
	if err != nil || m.BinDir != install.BinDir {
		return false
	}
	now := time.Now()
	os.Chtimes(path, now, now) // only delays its removal
	return true
}

// BuildFile is [Build] into a file, which appears whole or not at all.
func BuildFile(ctx context.Context, path string, install binaries.Install, r Recipe, o Options) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-")
	if err != nil {
		return fmt.Errorf("write golden cluster: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	err = Build(ctx, install, r, f, o)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// prune removes golden clusters and half-written ones that were not used for long.
func prune(dir string) {
	old, _ := filepath.Glob(filepath.Join(dir, "template_*"))
	for _, path := range old {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > keepUnused {
			os.Remove(path)
		}
	}
}
