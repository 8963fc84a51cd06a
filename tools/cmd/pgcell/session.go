package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/bep"
	"github.com/pgcell/pgcell/tools/internal/report"
)

// Bazel's exit codes, https://bazel.build/run/scripts#exit-codes
const (
	bazelOK          = 0
	bazelBuildFailed = 1
	bazelUsage       = 2
	bazelTestsFailed = 3
	bazelNoTests     = 4
	bazelInterrupted = 8
	bazelLocked      = 9
)

func bazelError(format string, args ...any) error {
	return &codedError{exitBuild, fmt.Errorf(format, args...)}
}

// session is one "pgcell run": one or more calls of Bazel and a summary.
type session struct {
	*program
	o        *options
	bazel    string
	space    *workspace
	terminal bool // Bazel draws its own progress on the terminal
	print    *printer
	stop     chan os.Signal
	stopped  bool // by a signal
}

// call is one finished call of Bazel.
type call struct {
	invocation
	run      *report.Run
	finished *bep.Finished // nil when Bazel ended without its last events
	exit     int           // of the process
}

// runTests is the body of "pgcell run"; it sets p.code.
func (p *program) runTests(o *options) error {
	if _, err := o.schedule(); err != nil {
		return err
	}
	space, err := p.findWorkspace()
	if err != nil {
		return err
	}
	plan, err := space.plan(o)
	if err != nil {
		return err
	}
	bazel, err := p.findBazel(space)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "pgcell-run-")
	if err != nil {
		return bazelError("make a directory for Bazel's events: %w: free space there, or set TMPDIR", err)
	}
	defer os.RemoveAll(dir)

	s := &session{
		program: p, o: o, bazel: bazel, space: space, stop: make(chan os.Signal, 1),
		// Bazel redraws the lines above its cursor, so nobody else may write meanwhile.
		terminal: isTerminal(p.stderr) && p.getenv("TERM") != "dumb" && !o.verbose && !o.output,
	}
	s.print = &printer{w: p.stdout, live: !s.terminal, verbose: o.verbose, output: o.output}
	notifyStop(s.stop)
	defer signal.Stop(s.stop)

	start := now()
	var calls []*call
	for i, inv := range plan {
		c, err := s.call(inv, filepath.Join(dir, fmt.Sprintf("events-%d.json", i)))
		if err != nil {
			return err
		}
		calls = append(calls, c)
		if s.stopped || s.verdict(c) != exitPassed && s.verdict(c) != exitFailed {
			break
		}
	}
	p.code = s.summarise(calls, now().Sub(start))
	return nil
}

// call runs Bazel once and takes in its events while it runs.
func (s *session) call(inv invocation, events string) (*call, error) {
	args, err := s.bazelArgs(&inv, events)
	if err != nil {
		return nil, err
	}
	var output io.Writer = s.stderr
	if !s.terminal {
		f := &messageFilter{w: s.stderr}
		defer f.flush()
		output = f
	}
	process, err := startProcess(s.space.root, s.bazelEnv(), output, s.bazel, args)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		defer cancel()
		s.watch(process)
	}()

	c := &call{invocation: inv, run: &report.Run{}}
	s.print.named = len(inv.names) > 0
	err = bep.Follow(ctx, events, func(e bep.Event) {
		if e.Finished != nil {
			c.finished = e.Finished
		}
		if shard := c.run.Add(e); shard != nil {
			s.print.shard(shard)
		}
	})
	if err != nil {
		fmt.Fprintf(s.stderr, "pgcell run: %v: the results are not complete\n", err)
	}
	<-watched
	c.exit = process.exitCode()
	return c, nil
}

// watch waits for Bazel's end and passes the first signal on to it.
func (s *session) watch(process *process) {
	for {
		select {
		case <-process.done:
			return
		case <-s.stop:
			if !s.stopped {
				s.stopped = true
				fmt.Fprintln(s.stderr, "\npgcell run: interrupted: Bazel stops the running tests")
				process.interrupt()
			}
		}
	}
}

// isTerminal reports whether w is a device that shows what is written to it.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// summarise prints what is left to say and gives the exit code.
func (s *session) summarise(calls []*call, took time.Duration) int {
	code := exitPassed
	var sum summary
	sum.took = took
	for _, c := range calls {
		sum.add(c.run)
	}
	s.print.failures(&sum)
	for _, c := range calls {
		v := s.verdict(c)
		if why := s.explain(c, v); why != "" {
			s.print.line("%s", why)
		}
		if code == exitPassed || v != exitPassed && v != exitFailed {
			code = v
		}
	}
	s.print.closing(&sum)
	return code
}

// verdict gives the exit code that a call asks for.
func (s *session) verdict(c *call) int {
	code := c.exit
	if c.finished != nil {
		code = c.finished.ExitCode
	}
	counts := c.run.Counts()
	switch {
	case s.stopped, code == bazelInterrupted:
		return exitInterrupted
	case code == bazelNoTests:
		return exitNoTests
	case code == bazelUsage:
		return exitUsage
	case code == bazelTestsFailed, code == bazelOK && counts.Failed > 0:
		return exitFailed
	case code == bazelBuildFailed:
		return c.buildFailure()
	case code != bazelOK:
		return exitBuild
	case counts.Total() == 0, len(c.missing()) > 0:
		return exitNoTests
	}
	return exitPassed
}

// buildFailure tells apart what Bazel reports as a failed build: a target that does not exist is wrong
// usage, a directory without any is no tests.
func (c *call) buildFailure() int {
	switch reason, bad := c.badPattern(); {
	case !bad:
		return exitBuild
	case strings.HasPrefix(reason, "no targets found beneath"):
		return exitNoTests
	case strings.HasPrefix(reason, "no such "): // target, package
		return exitUsage
	}
	return exitBuild
}

// badPattern reports whether a target pattern could not be expanded, and why. Bazel 7 gives the reason
// in the event where there are several patterns, and in a message alone where there is one.
func (c *call) badPattern() (reason string, bad bool) {
	for _, a := range c.run.Aborted {
		if a.Pattern != "" {
			bad = true
			if a.Description != "" {
				return a.Description, true
			}
		}
	}
	if bad && len(c.run.Errors) > 0 {
		reason = c.run.Errors[0]
	}
	return reason, bad
}

// missing gives the names that were asked for and have no result.
func (c *call) missing() []string {
	var missing []string
	for _, name := range c.names {
		if !c.run.Has(name) {
			missing = append(missing, name)
		}
	}
	return missing
}

// explain gives one sentence on a verdict that the results do not explain by themselves.
func (s *session) explain(c *call, code int) string {
	where := strings.Join(c.patterns, " ")
	switch code {
	case exitInterrupted:
		if n := c.run.Interrupted(); n > 0 {
			return fmt.Sprintf("interrupted: %d shards have no result", n)
		}
		return "interrupted: the results are not complete"
	case exitNoTests:
		if names := c.missing(); len(names) > 0 && c.run.Counts().Total() > 0 || len(names) > 0 && len(c.run.Shards) > 0 {
			return fmt.Sprintf("no test %s in %s: names are matched whole, and case counts", strings.Join(names, ", "), where)
		}
		return fmt.Sprintf("no tests found in %s", where)
	case exitUsage:
		if reason, bad := c.badPattern(); bad {
			return fmt.Sprintf("cannot find %s: %s", where, reason)
		}
		return "Bazel does not accept the flags: its message is above"
	case exitBuild:
		switch {
		case c.exit == bazelLocked && s.o.noWait:
			return "another Bazel command has this workspace, and --no-wait was given: try again when it has ended"
		case len(c.run.Unbuilt) > 0:
			return fmt.Sprintf("the build failed: %s: the reason is above", strings.Join(c.run.Unbuilt, ", "))
		case c.finished == nil:
			return fmt.Sprintf("Bazel ended with exit code %d and without a result: its message is above", c.exit)
		case c.finished.Message != "":
			return fmt.Sprintf("the build failed: %s", c.finished.Message)
		}
		return fmt.Sprintf("the build failed (Bazel's exit code %d): the reason is above", c.finished.ExitCode)
	}
	return ""
}
