//go:build unix

package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// process is a running Bazel client in a process group of its own: a Ctrl-C on the terminal reaches
// this command alone, which passes it on once. (Bazel's third one would kill its server.)
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and all its output was copied
	err  error         // after done
	sent atomic.Bool   // it was asked to stop
}

// startProcess starts Bazel in dir and sends its messages to output; a *os.File it gets as it is.
// Nothing is kept of its standard output, which carries its own summary.
func startProcess(dir string, env []string, output io.Writer, bazel string, args []string) (*process, error) {
	cmd := exec.Command(bazel, args...)
	cmd.Dir, cmd.Env, cmd.Stderr = dir, env, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Minute // for the output of what a killed wrapper left running
	if err := cmd.Start(); err != nil {
		return nil, bazelError("start Bazel: %w", err)
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.err = cmd.Wait()
	}()
	return p, nil
}

// interrupt asks Bazel to stop: it ends the running tests and reports the results that it has.
func (p *process) interrupt() {
	p.sent.Store(true)
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT) // fails when it has just ended
}

// interrupted reports whether it was asked to stop.
func (p *process) interrupted() bool { return p.sent.Load() }

// exitCode gives the exit code after done; 128+N when signal N ended it.
func (p *process) exitCode() int {
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return 128 + int(status.Signal())
		}
		return exit.ExitCode()
	}
	if state := p.cmd.ProcessState; state != nil {
		return state.ExitCode()
	}
	return -1
}

// notifyStop delivers the signals by which a person or a CI system ends this command, or nobody reads on what it prints.
func notifyStop(c chan<- os.Signal) {
	signal.Notify(c, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
}

// outliveReaders has a write to a pipe that nobody reads fail, in place of ending the process before it has cleaned up.
func outliveReaders() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
