package storage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/held"
)

// TempDirs are Bazel's directory for the test and the temporary one, as the program starts with them: the server serves
// later tests too, and a test that sets TMPDIR for itself takes a directory that goes with the test.
var TempDirs = []string{os.Getenv("TEST_TMPDIR"), os.TempDir()}

// DiskParents gives the directories in which data on disk may be made, best first: Bazel's for the test, which Bazel
// empties itself; the temporary directory; /var/tmp, which linux-sandbox lets nobody write to; /tmp. Those that are in
// truth memory come last: /tmp is a tmpfs on some systems. In linux-sandbox it is not, unless --sandbox_tmpfs_path says
// so: there /tmp is a directory on the disk of Bazel's output base, as TEST_TMPDIR is, and both go with the sandbox.
func DiskParents() []string {
	var parents []string
	for _, dir := range append(slices.Clone(TempDirs), "/var/tmp", "/tmp") {
		if filepath.IsAbs(dir) && !slices.Contains(parents, dir) {
			parents = append(parents, dir)
		}
	}
	slices.SortStableFunc(parents, func(a, b string) int { return bit(InMemory(a)) - bit(InMemory(b)) })
	return parents
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// HoldOnDisk is [held.Make] where data on disk lies: in the first directory that takes it of TEST_TMPDIR, TMPDIR, /var/tmp
// and /tmp.
func HoldOnDisk() (*held.Dir, error) { return Hold(DiskParents(), false) }

// Hold makes a held directory in the first of some directories that takes one and that, where it must be, is open
// to all.
func Hold(parents []string, toAll bool) (*held.Dir, error) {
	all := []error{errors.New("no directory on disk serves; set TMPDIR to one")}
	for _, parent := range parents {
		if toAll && !binaries.Passable(parent) {
			all = append(all, fmt.Errorf("the user nobody, who the server runs as, cannot pass through %q", parent))
			continue
		}
		dir, err := held.Make(parent)
		if err == nil {
			return dir, nil
		}
		all = append(all, err)
	}
	return nil, errors.Join(all...)
}
