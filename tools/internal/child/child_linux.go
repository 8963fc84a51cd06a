package child

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Attr has the kernel end the command with this process.
func attr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// adopt makes this process the parent of those below the command that lose theirs, so that it finds them.
func adopt() { unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }
