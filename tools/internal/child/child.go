// Package child runs a command as if it had been called in this program's place: its streams, signals and exit code are
// its own. What the command leaves is ended where this program or the command is killed.
package child

import (
	"errors"
	"io/fs"
	"os/exec"
	"runtime"
	"syscall"
)

// Exit codes where a command could not be executed, as env(1) has them.
const (
	NotAllowed = 126
	NotFound   = 127
)

// Attr has the kernel end a command when the thread ends that started it, where the system can do that.
func Attr() *syscall.SysProcAttr { return attr() }

// Run runs a command that has not been started: start starts it, as cmd.Start does, and started is then called with its
// process. Signals that this process gets are passed on. Where a signal ends the command, all processes that have mark,
// "NAME=VALUE", in their environment are ended too. It returns the exit code as a shell gives it.
//
// Errors: that of start, with the exit code for it in code, or 0.
func Run(cmd *exec.Cmd, mark string, start func() error, started func(pid int)) (code int, err error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = attr()
	}
	signals := PassSignals(syscall.SIGUSR1, syscall.SIGUSR2)
	defer signals.Stop()
	adopt()
	runtime.LockOSThread() // the command ends with its thread
	defer runtime.UnlockOSThread()
	if err := start(); err != nil {
		return NotExecuted(err), err
	}
	started(cmd.Process.Pid)
	signals.Add(cmd.Process)
	err = cmd.Wait()
	signals.Remove(cmd.Process)
	if cmd.ProcessState == nil {
		return 0, err
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		endMarked(mark)
		return 128 + int(status.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

// NotExecuted gives the exit code for a command that could not be executed; 0 for other errors.
func NotExecuted(err error) int {
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return NotFound
	case errors.Is(err, fs.ErrPermission):
		return NotAllowed
	}
	return 0
}
