package bazel

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pgcell/pgcell/tools/internal/cli"
)

// Process is a running Bazel client in a process group of its own: a Ctrl-C on the terminal reaches
// this command alone, which passes it on once. (Bazel's third one would kill its server.)
type Process struct {
	cmd  *exec.Cmd
	Done chan struct{} // closed once it has ended and all its output was copied
	err  error         // after Done
	sent atomic.Bool   // it was asked to stop
}

// Start starts Bazel and sends its messages to output. Its standard output, which carries its own summary, is dropped.
func (c *Client) Start(args []string, output io.Writer) (*Process, error) {
	cmd := c.command(context.Background(), args)
	cmd.Stderr = output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Minute // for the output of what a killed wrapper left running
	if err := cmd.Start(); err != nil {
		return nil, cli.Broken("start Bazel: %w", err)
	}
	p := &Process{cmd: cmd, Done: make(chan struct{})}
	go func() {
		defer close(p.Done)
		p.err = cmd.Wait()
	}()
	return p, nil
}

// Interrupt asks Bazel to stop: it ends the running tests and reports the results that it has.
func (p *Process) Interrupt() {
	p.sent.Store(true)
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT) // fails when it has just ended
}

// Interrupted reports whether it was asked to stop.
func (p *Process) Interrupted() bool { return p.sent.Load() }

// ExitCode gives the exit code after Done; 128+N when signal N ended it.
func (p *Process) ExitCode() int {
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
