package held

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// nobody is the user that servers run as where the caller is root and namespaces are forbidden.
const nobody = 65534

// FreeSharedMemory removes the System V segment by which a postmaster keeps others off its data directory, after a
// postmaster that was killed and could not. postmaster.pid names it: its first line is the process, its seventh "key
// id" (src/include/utils/pidfile.h). A segment that another process made, or that is in use, is left alone.
func FreeSharedMemory(dataDir string) {
	text, err := os.ReadFile(filepath.Join(dataDir, "postmaster.pid"))
	if err != nil {
		return // an orderly end removes both
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 7 {
		return
	}
	maker, segment := strings.TrimSpace(lines[0]), strings.Fields(lines[6])
	if len(segment) != 2 {
		return
	}
	// Backends whose postmaster was killed take a moment to notice.
	for deadline := time.Now().Add(time.Second); ; time.Sleep(2 * time.Millisecond) {
		found, attached := findSegment(segment[1], maker)
		if !found || attached && time.Now().After(deadline) {
			return
		}
		var id int
		if _, err := fmt.Sscan(segment[1], &id); err == nil && !attached {
			if removeSegment(id) == unix.EPERM && os.Getuid() == 0 {
				asNobody(func() { _ = removeSegment(id) }) // what stays is looked at no more
			}
			return
		}
	}
}

func removeSegment(id int) error {
	_, err := unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	return err
}

// asNobody does something as the user that the server ran as: root in a container may lack the capability to remove
// what others made. The identity changes for one thread alone, by a system call past the C library's and Go's wrappers,
// which would change all; and that thread ends with it.
func asNobody(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked, so the thread is not used again
		keep := ^uintptr(0)
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, keep, nobody, keep); errno == 0 {
			do()
		}
	}()
	<-done
}

// findSegment looks for a segment by its id and its maker's process id.
func findSegment(id, maker string) (found, attached bool) {
	all, err := os.ReadFile("/proc/sysvipc/shm")
	if err != nil {
		return false, false
	}
	for _, line := range strings.Split(string(all), "\n") {
		// key shmid perms size cpid lpid nattch ...; see proc_sysvipc_shm(5).
		if f := strings.Fields(line); len(f) > 6 && f[1] == id && f[4] == maker {
			return true, f[6] != "0"
		}
	}
	return false, false
}
