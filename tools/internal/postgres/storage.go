package postgres

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"

	"github.com/pgcell/pgcell/tools/internal/memory"
)

// Storage is where the data of a private server lies.
type Storage string

const (
	// Memory: a tmpfs of the server's own under [Namespaces], [Config.StorageLimit] large; a directory in /dev/shm
	// under [Watchdog]. Start fails where there is none. It is taken also where there is little room: see minMemory.
	Memory Storage = "memory"
	// Disk: a directory that is swept when all who could remove it were killed: see diskParents.
	Disk Storage = "disk"
)

// ParseStorage reads "auto" (or ""), "memory" or "disk".
func ParseStorage(s string) (Storage, error) {
	switch c := Storage(s); c {
	case Auto, Memory, Disk:
		return c, nil
	case "auto":
		return Auto, nil
	}
	return "", fmt.Errorf("PGCELL_STORAGE is %q; want auto, memory or disk", s)
}

// memoryDir is where Linux keeps memory-backed files for all.
const memoryDir = "/dev/shm"

// TempDirs are Bazel's directory for the test and the temporary one, as the program starts with them: the server serves
// later tests too, and a test that sets TMPDIR for itself takes a directory that goes with the test.
var TempDirs = []string{os.Getenv("TEST_TMPDIR"), os.TempDir()}

// diskParents gives the directories in which data on disk may be made, best first: Bazel's for the test, which Bazel
// empties itself; the temporary directory; /var/tmp, which linux-sandbox lets nobody write to; /tmp. Those that are in
// truth memory come last: /tmp is a tmpfs on some systems. In linux-sandbox it is not, unless --sandbox_tmpfs_path says
// so: there /tmp is a directory on the disk of Bazel's output base, as TEST_TMPDIR is, and both go with the sandbox.
func diskParents() []string {
	var parents []string
	for _, dir := range append(slices.Clone(TempDirs), "/var/tmp", "/tmp") {
		if filepath.IsAbs(dir) && !slices.Contains(parents, dir) {
			parents = append(parents, dir)
		}
	}
	slices.SortStableFunc(parents, func(a, b string) int { return bit(memoryBacked(a)) - bit(memoryBacked(b)) })
	return parents
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// HoldOnDisk is [HoldDir] where data on disk lies: in the first directory that takes it of TEST_TMPDIR, TMPDIR, /var/tmp
// and /tmp.
func HoldOnDisk() (*HeldDir, error) { return holdFirst(diskParents(), false) }

// holdOnDisk makes a held directory in the first of the job's disk parents that takes one and that the server can pass
// through.
func (k *keeper) holdOnDisk() (*HeldDir, error) {
	return holdFirst(k.job.DiskParents, k.serverAttr().Credential != nil)
}

// holdFirst makes a held directory in the first of some directories that takes one and that, where it must be, is open
// to all.
func holdFirst(parents []string, toAll bool) (*HeldDir, error) {
	all := []error{errors.New("no directory on disk serves; set TMPDIR to one")}
	for _, parent := range parents {
		if toAll && !open(parent) {
			all = append(all, fmt.Errorf("the user nobody, who the server runs as, cannot pass through %q", parent))
			continue
		}
		held, err := HoldDir(parent)
		if err == nil {
			return held, nil
		}
		all = append(all, err)
	}
	return nil, errors.Join(all...)
}

// open reports whether every user may pass through a directory and all above it.
func open(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
		dir = filepath.Dir(dir)
	}
}

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

// freeSpace gives the bytes that can still be written in a directory, and its file system's size. What lies in memory
// can also end before the file system is full: see room.
func freeSpace(dir string) (free, size int64, err error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, 0, fmt.Errorf("statfs %q: %w", dir, err)
	}
	free, size = int64(fs.Bavail)*int64(fs.Bsize), int64(fs.Blocks)*int64(fs.Bsize)
	if memoryBacked(dir) {
		free = min(free, memory.Available(os.DirFS("/")))
	}
	return free, size, nil
}

// gigabytes writes a number of bytes as people do: "5.2 GB".
func gigabytes(n int64) string {
	if n < 1e9 {
		return fmt.Sprintf("%d MB", n/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// filesDir is a directory beside a private data directory, for files of the server's that lie outside of it, such as
// tablespaces.
func filesDir(dataDir string) string { return filepath.Join(filepath.Dir(dataDir), "files") }

// socketPathLimit is the longest path of a Unix socket in bytes: sun_path less its final zero (unix(7); sys/un.h on
// macOS and BSD).
func socketPathLimit() int {
	if runtime.GOOS == "linux" {
		return 107
	}
	return 103
}

// newSocketDir makes a server's socket directory.
func newSocketDir(parent string) (*HeldDir, error) {
	socket := filepath.Join(parent, heldPrefix+"01234567", fmt.Sprintf(".s.PGSQL.%d", port))
	if limit := socketPathLimit(); len(socket) > limit {
		return nil, &SocketPathError{Path: socket, Limit: limit}
	}
	dir, err := HoldDir(parent)
	if err != nil {
		return nil, fmt.Errorf("%w; set PGCELL_SOCKET_DIR to a directory that can be written to, such as /tmp", err)
	}
	return dir, nil
}

// watchdogAttr gives the keeper a session of its own: Ctrl-C is for the tests, not for their server.
func watchdogAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
