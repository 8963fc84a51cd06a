package exec

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/pgcell/pgcell/tools/internal/cli"
)

// runChild runs the command with this process's streams, and gives its exit code.
func (s *session) runChild(command, environ []string) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = environ, os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = childAttr()
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	defer signal.Stop(signals)
	adopt()
	// The kernel ends the child with the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return notExecuted(command[0], err)
	}
	s.broker.Command(cmd.Process.Pid)
	watcher, err := s.startWatcher()
	if err != nil {
		s.warn("start a process that cleans up where this one is killed: " + err.Error())
	} else {
		defer watcher.dismiss()
	}
	ended := make(chan struct{})
	go pass(signals, cmd.Process, ended)
	err = cmd.Wait()
	s.ended.Store(true)
	close(ended)
	if cmd.ProcessState == nil {
		return broken("wait for %s: %w", command[0], err)
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		s.endOrphans()
	}
	return exit(cmd.ProcessState)
}

func notExecuted(command string, err error) error {
	e := broken("run %s: %w", command, err).(*cli.Error)
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		e.Code = notFound
	case errors.Is(err, fs.ErrPermission):
		e.Code = notAllowed
	}
	return e
}

// pass hands signals to the command, but for those that the terminal has sent to it as well.
func pass(signals <-chan os.Signal, to *os.Process, ended <-chan struct{}) {
	for {
		select {
		case <-ended:
			return
		case sig := <-signals:
			if (sig == syscall.SIGINT || sig == syscall.SIGQUIT) && inForeground() {
				continue
			}
			to.Signal(sig)
		}
	}
}

// code is the exit code of a command, as a shell gives it.
func code(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
