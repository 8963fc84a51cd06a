package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// parent gives the parent of a process; 0 if it is not there.
func parent(pid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name, in parentheses, may hold anything.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	ppid, _ := strconv.Atoi(fields[1])
	return ppid
}

// Worker finds the test process of a client among its ancestors, of which the command is the last: the nearest that
// known reports to be one, else the nearest that the runners know, such as [Runners]. It gives 0 for the command as a whole.
func Worker(client, command int, runners []Runner, known func(pid int) bool) (pid int, runner string) {
	var chain []info
	for p := client; p > 1; p = parent(p) {
		chain = append(chain, look(p))
		if p == command {
			break
		}
	}
	if len(chain) == 0 || chain[len(chain)-1].pid != command {
		return 0, ""
	}
	found, runner := worker(chain, runners, known)
	if found == nil {
		return 0, ""
	}
	return found.pid, runner
}

// look reads what the table of runners is matched against.
func look(pid int) info {
	command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // what cannot be read matches nothing
	environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return info{
		pid: pid, command: strings.TrimSpace(strings.ReplaceAll(string(command), "\x00", " ")),
		environ: strings.Split(string(environ), "\x00"),
	}
}

// Watch gives a function that waits until a process has ended. One that is a zombie has.
//
// Errors: there is no such process.
func Watch(pid int) (wait func(), err error) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err == unix.EINVAL { // Linux 5.3 to 5.9
		if fd, err = unix.PidfdOpen(pid, 0); err == nil {
			err = unix.SetNonblock(fd, true)
		}
	}
	if err == unix.ENOSYS || err == unix.EPERM {
		return poll(pid)
	}
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	raw, err := f.SyscallConn()
	if err != nil {
		f.Close()
		return nil, err
	}
	return func() {
		defer f.Close()
		raw.Read(func(fd uintptr) bool { // parks until the descriptor is readable, which it is from the process's end on
			events := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			n, err := unix.Poll(events, 0)
			return n > 0 || err != nil && err != syscall.EINTR
		})
	}, nil
}
