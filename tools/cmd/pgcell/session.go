package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/pgcell/pgcell/tools/internal/bep"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/report"
)

func bazelError(format string, args ...any) error {
	return &codedError{code: exitBuild, err: fmt.Errorf(format, args...)}
}

// session is one "pgcell run": one or more calls of Bazel and a summary.
type session struct {
	*program
	o        *options
	workers  workers
	bazel    string
	space    *workspace
	terminal bool // Bazel draws its own progress on the terminal
	print    *printer
	stop     chan os.Signal
	stopped  bool           // by a signal
	history  *history.Store // nil where there is no place for one
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
	s.history = p.openHistory(space)
	s.workers = o.chooseWorkers(recorded(s.times(), plan))
	if s.workers.count > cores() && s.workers.why != "" {
		fmt.Fprintf(p.stderr, "pgcell run: %d shards at once (-n %s): %s\n", s.workers.count, o.numprocesses, s.workers.why)
	}
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
	p.code = s.summarise(calls, start)
	return nil
}

// call runs Bazel once and takes in its events while it runs.
func (s *session) call(inv invocation, events string) (*call, error) {
	var output io.Writer = s.stderr
	if !s.terminal {
		f := &messageFilter{w: s.stderr}
		defer f.flush()
		output = f
	}
	process, err := startProcess(s.space.root, s.bazelEnv(s.o), output, s.bazel, s.bazelArgs(&inv, events))
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
				if s.terminal {
					fmt.Fprintln(s.stderr) // behind the ^C
				}
				fmt.Fprintln(s.stderr, "pgcell run: interrupted: Bazel stops the running tests, which may take some seconds")
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
func (s *session) summarise(calls []*call, start time.Time) int {
	code := exitPassed
	var sum summary
	sum.took = now().Sub(start)
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
	if err := s.save(s.record(calls, &sum, start, code)); err != nil {
		fmt.Fprintf(s.stderr, "pgcell run: %v: set XDG_CACHE_HOME to a directory that can be written to\n", err)
	}
	s.print.closing(&sum)
	return code
}
