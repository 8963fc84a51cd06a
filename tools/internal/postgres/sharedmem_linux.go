package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// freeSharedMemory removes the System V segment by which a postmaster keeps others off its data directory, after a postmaster that was
// killed and could not. postmaster.pid names it: its first line is the process, its seventh "key id" (src/include/utils/pidfile.h). A
// segment that another process made, or that is in use, is left alone.
func freeSharedMemory(dataDir string) {
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
		var id uintptr
		if _, err := fmt.Sscan(segment[1], &id); err == nil && !attached {
			const ipcRmid = 0 // IPC_RMID of <sys/ipc.h>
			syscall.Syscall(syscall.SYS_SHMCTL, id, ipcRmid, 0)
			return
		}
	}
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
