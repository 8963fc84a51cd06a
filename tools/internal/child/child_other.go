//go:build !linux

package child

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func attr() *syscall.SysProcAttr { return nil }

func adopt() {}

// inForeground reports whether the terminal sends its signals to this process and to the command.
func inForeground() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
