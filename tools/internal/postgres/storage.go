package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// memoryDir is where Linux keeps memory-backed files for all.
const memoryDir = "/dev/shm"

// memoryNeeded is the free space below which the watchdog keeps away from memoryDir: containers often have 64 MB there, less than a
// cluster with a few cells.
const memoryNeeded = 256 << 20

// dataParent is where the watchdog makes a private data directory: memory where there is room, else the temporary directory.
func dataParent() string {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memoryDir, &fs); err == nil && int64(fs.Bavail)*int64(fs.Bsize) >= memoryNeeded {
		if syscall.Access(memoryDir, 7) == nil {
			return memoryDir
		}
	}
	return os.TempDir()
}

// filesDir is a directory beside a private data directory, for files of the server's that lie outside of it, such as tablespaces.
func filesDir(dataDir string) string { return filepath.Join(filepath.Dir(dataDir), "files") }

// socketPathLimit is the longest path of a Unix socket in bytes: sun_path less its final zero (unix(7); sys/un.h on macOS and BSD).
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
	return HoldDir(parent)
}

// watchdogAttr gives the keeper a session of its own: Ctrl-C is for the tests, not for their server.
func watchdogAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
