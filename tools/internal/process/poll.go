package process

import (
	"syscall"
	"time"
)

// poll is Watch where the system has no better way.
func poll(pid int) (wait func(), err error) {
	gone := func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH }
	if gone() {
		return nil, syscall.ESRCH
	}
	return func() {
		for !gone() {
			time.Sleep(50 * time.Millisecond)
		}
	}, nil
}
