package divide

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pgcell/pgcell/tools/internal/child"
)

// process is one run of the test binary.
type process struct {
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer // the same where they are to be one stream
	env            []string  // in addition to this process's own
	started        func(pid int)
}

// start runs the test binary to its end. The error says why it could not be started.
func (c *Config) start(ctx context.Context, p process) (child.Ended, error) {
	command := slices.Concat(c.Launcher, []string{c.Binary}, p.args)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir, cmd.Env = c.Dir, append(os.Environ(), p.env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.stdin, p.stdout, p.stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	e, err := c.signals.Run(cmd, p.started)
	if err != nil {
		return e, fmt.Errorf("run the test binary: %w", err)
	}
	return e, nil
}

// whole runs the test binary as it was called, in one process.
func (c *Config) whole(ctx context.Context) (Result, error) {
	env, done, err := c.environment(0)
	if err != nil {
		return Result{}, err
	}
	defer done()
	e, err := c.start(ctx, process{args: c.Args, stdin: c.Stdin, stdout: c.Stdout, stderr: c.Stderr, env: env})
	return Result{Exit: e.Code, Signal: e.Signal, Processes: 1}, err
}

// environment is Config.Env, or nothing.
func (c *Config) environment(number int) (env []string, done func(), err error) {
	if c.Env == nil {
		return nil, func() {}, nil
	}
	env, done, err = c.Env(number)
	if done == nil {
		done = func() {}
	}
	return env, done, err
}

// list asks the binary for its tests, and says how long that took: the time of a start. ok is false where the binary
// does not answer: then it is for the binary, called as it was, to say what is wrong.
func (c *Config) list(ctx context.Context) (output string, took time.Duration, ok bool, err error) {
	env, done, err := c.environment(0)
	if err != nil {
		return "", 0, false, err
	}
	defer done()
	var b strings.Builder
	e, err := c.start(ctx, process{
		args: append([]string{"-test.list=."}, c.arguments.Rest...), stdout: &b, stderr: io.Discard, env: env,
	})
	return b.String(), e.Took, err == nil && e.Code == 0, err
}
