// Package divide runs the tests of one Go test binary in several processes, and shows them as one.
//
// Goals: what "go test", test2json and JUnit see is one package, with each test once, one verdict, one coverage and the
// exit code of an undivided run; no changed line in the tests. It stands in for the binary in "go test -exec".
// Non-goals: what the processes need from outside, such as a database each, which the caller gives by Config.Env;
// binaries that are not Go's; sharding by Bazel, which is package shard's.
package divide

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/pgcell/pgcell/tools/internal/child"
	"github.com/pgcell/pgcell/tools/internal/merge"
	"github.com/pgcell/pgcell/tools/internal/testargs"
)

// Config says what to run. Binary and Stdout must be set.
type Config struct {
	// Binary is the path of a test binary that "go test" built.
	Binary string
	// Args are the arguments that "go test" calls it with, without its name.
	Args []string
	// Launcher is a program, with its first arguments, that is called with the binary and its arguments to run it; empty
	// to run the binary itself.
	Launcher []string
	// Dir is the directory to run it in; empty for this process's own, as "go test" sets it.
	Dir string
	// Stdin is given to a binary that is not divided; nil for none. Processes that share the tests have none.
	Stdin io.Reader
	// Stdout and Stderr take the output. A nil Stderr is Stdout. Where both are one file, as under "go test", both
	// streams of a process stay in order.
	Stdout, Stderr io.Writer

	// Shards is in how many processes the tests run; 0 chooses it by recorded times, processor time and cores.
	Shards int
	// Each runs each top-level test in a process of its own; Shards of them at a time.
	Each bool
	// Suites divides the direct subtests of tests too, such as the methods of testify's suites, as far as an earlier run
	// with -v has recorded them. Each process runs the test around its subtests.
	Suites bool
	// Groups are tests that stay in one process, in the order of the binary.
	Groups [][]string
	// Env gives what is added to the environment of a process, numbered from 0, and a function to call after its end. It
	// is called before each process, also those that list tests, from several goroutines; it may wait for a free place.
	// An error ends the run. A nil Env adds nothing.
	Env func(process int) (env []string, done func(), err error)
	// Waits says what a process, by its id, waits for when nine tenths of the time-out are over; "" is nothing. May be nil.
	Waits func(pid int) string
	// Times is the directory of recorded times; it is made where it is missing. Empty for none.
	Times string

	arguments testargs.Args
	signals   *child.Signals
}

// Result is what came of a run.
type Result struct {
	// Exit is the exit code that the binary would have had: 0; 1 for failed tests; 2 after a panic or a time-out; 128 and
	// the signal's number where one ended a process.
	Exit int
	// Signal is what ended a process; nil for none.
	Signal os.Signal
	// Processes is how many ran tests.
	Processes int
	// Failed are the top-level tests that failed, as far as the output named them.
	Failed []string
}

// End ends this process as the binary would have ended: by the signal, or with the exit code. It does not return.
func (r Result) End() { child.End(r.Exit, r.Signal) }

// Run runs the tests and returns when all processes have ended. It passes signals on to them. The error is one of
// starting processes, of Config.Env, of coverage data or of writing; failed tests are none. Its cost is one more start
// of the binary, which lists the tests.
func Run(ctx context.Context, c Config) (Result, error) {
	if c.Stderr == nil {
		c.Stderr = c.Stdout
	}
	c.arguments = testargs.Parse(c.Args)
	c.signals = child.PassSignals()
	defer c.signals.Stop()
	if reason := c.arguments.Whole(); reason != "" {
		if verbose, _ := c.arguments.Verbose(); verbose {
			_, _ = fmt.Fprintf(c.Stderr, "pgcell: not divided: %s\n", reason)
		}
		return c.whole(ctx)
	}
	begin := time.Now()
	p, err := c.plan(ctx)
	if err != nil {
		return Result{Exit: 1}, err
	}
	if p == nil {
		return c.whole(ctx)
	}
	return c.run(ctx, p, begin)
}

// run runs a plan.
func (c *Config) run(ctx context.Context, p *plan, begin time.Time) (Result, error) {
	cover, err := merge.NewCoverage(c.path("coverprofile"), c.path("gocoverdir"), len(p.units))
	if err != nil {
		return Result{Exit: 1}, err
	}
	defer cover.Remove()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := newRun(c, p, cover, begin)
	r.all(ctx, cancel)
	result := r.result()
	err = errors.Join(r.errors()...)
	if err == nil {
		err = r.finish(result.Exit)
	}
	if err != nil && result.Exit == 0 {
		result.Exit = 1
	}
	if c.Times != "" && err == nil && ctx.Err() == nil {
		err = r.record()
	}
	return result, err
}

// path gives the value of a flag that names a file, absolute.
func (c *Config) path(flag string) string {
	value := c.arguments.Flags[flag]
	if value == "" || filepath.IsAbs(value) {
		return value
	}
	dir := c.Dir
	if dir == "" {
		dir = "."
	}
	if abs, err := filepath.Abs(filepath.Join(dir, value)); err == nil {
		return abs
	}
	return value
}
