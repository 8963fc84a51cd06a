package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/results"
)

func bazelError(format string, args ...any) error {
	return &codedError{code: exitBuild, err: fmt.Errorf(format, args...)}
}

// session is one "pgcell run": one or more calls of Bazel and a summary.
type session struct {
	*program
	o       *options
	workers workers
	bazel   string
	space   *workspace
	print   *printer
	screen  *screen
	stop    chan os.Signal
	stopped bool // by a signal
	limit   *limiter
	history *history.Store // nil where there is no place for one
	known   *history.Times
	last    []history.TestID // what failed when it last ran, before this run
	start   time.Time
	dir     string     // for Bazel's events
	chosen  []selected // by -k, -m, --lf, --ff and --collect-only
}

// call is one finished call of Bazel.
type call struct {
	invocation
	run      *results.Run
	finished *bazel.Finished // nil when Bazel ended without its last events
	exit     int             // of the process
	live     *results.Live   // nil until Bazel has said where it runs tests
	process  *process
}

// runTests is the body of "pgcell run"; it sets p.code.
func (p *program) runTests(o *options) error {
	s, plan, done, err := p.prepare(o)
	if err != nil {
		return err
	}
	defer done()
	if plan, err = s.selection(plan); err != nil {
		return err
	}
	if o.collectOnly {
		err := s.collect()
		p.code = s.code
		return err
	}
	calls, err := s.runAll(plan)
	if err != nil {
		return err
	}
	s.screen.close()
	p.code = s.summarise(calls)
	return nil
}

// prepare makes a session and the calls of Bazel that the paths ask for. done takes away what it made.
func (p *program) prepare(o *options) (s *session, plan []invocation, done func(), err error) {
	space, err := p.findWorkspace()
	if err != nil {
		return nil, nil, nil, err
	}
	if plan, err = space.plan(o); err != nil {
		return nil, nil, nil, err
	}
	bazel, err := p.findBazel(space)
	if err != nil {
		return nil, nil, nil, err
	}
	dir, err := os.MkdirTemp("", "pgcell-run-")
	if err != nil {
		return nil, nil, nil, bazelError("make a directory for Bazel's events: %w: free space there, or set TMPDIR", err)
	}
	s = p.newSession(o, space, bazel)
	s.dir = dir
	done = func() {
		s.screen.close()
		signal.Stop(s.stop)
		os.RemoveAll(dir)
	}
	return s, plan, done, nil
}

// runAll calls Bazel as planned, until a call shows that there is no sense in more.
func (s *session) runAll(plan []invocation) ([]*call, error) {
	s.chooseWorkers(plan)
	var calls []*call
	for i, inv := range plan {
		c, err := s.call(inv, filepath.Join(s.dir, fmt.Sprintf("events-%d.json", i)))
		if err != nil {
			return nil, err
		}
		calls = append(calls, c)
		if s.stopped || s.limit.reached || s.verdict(c) != exitPassed && s.verdict(c) != exitFailed {
			break
		}
	}
	return calls, nil
}

func (p *program) newSession(o *options, space *workspace, bazel string) *session {
	s := &session{program: p, o: o, bazel: bazel, space: space, stop: make(chan os.Signal, 1), start: now()}
	notifyStop(s.stop)
	s.history = p.openHistory(space)
	s.known, s.last = s.recorded()
	s.limit = newLimiter(o)
	s.screen = p.newScreen(o, s.known)
	s.print = &printer{
		w: s.screen, verbose: o.verbose, output: o.output, quiet: s.screen.bar && !o.verbose && !o.output,
		space: space, color: p.colored(o), annotate: p.getenv("GITHUB_ACTIONS") == "true",
		shown: make(map[failure]bool),
	}
	return s
}

// chooseWorkers decides how many shards run at once, and says so where that is not what people expect.
func (s *session) chooseWorkers(plan []invocation) {
	s.workers = s.o.chooseWorkers(recorded(s.known, plan))
	s.screen.workers = max(s.workers.count, 1)
	if s.workers.count > cores() && s.workers.why != "" {
		fmt.Fprintf(s.stderr, "pgcell run: %d shards at once (-n %s): %s\n", s.workers.count, s.o.numprocesses, s.workers.why)
	}
}

// call runs Bazel once and takes in its events while it runs.
func (s *session) call(inv invocation, events string) (*call, error) {
	filter := &messageFilter{w: s.screen.messages()}
	if s.screen.bar {
		filter.progress = s.screen.building
	}
	defer filter.flush()
	process, err := startProcess(s.space.root, s.bazelEnv(s.o), filter, s.bazel, s.bazelArgs(&inv, events))
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

	c := &call{invocation: inv, run: &results.Run{}, process: process}
	s.print.named = len(inv.names) > 0
	err = bazel.FollowIdle(ctx, events, func(e bazel.Event) { s.event(c, e) }, func() { s.idle(c) })
	if err != nil {
		fmt.Fprintf(s.screen.messages(), "pgcell run: %v: the results are not complete\n", err)
	}
	<-watched
	c.exit = process.exitCode()
	s.takeStopped(c)
	return c, nil
}

// event takes one event in.
func (s *session) event(c *call, e bazel.Event) {
	switch {
	case e.Finished != nil:
		c.finished = e.Finished
	case e.ExecRoot != nil:
		// A file's time may be a little behind the clock; but what the run before has written is older than that.
		c.live = results.NewLive(e.ExecRoot.Path, s.start.Add(-20*time.Millisecond))
	case e.Target != nil && e.Target.OK && e.Target.Shards > 0:
		s.limit.flaky[e.Target.Label] = e.Target.Flaky
		s.screen.target(e.Target.Label, e.Target.Shards, max(s.o.stress, 1))
		if c.live != nil && s.limit.attempts(e.Target.Label) == 1 {
			c.live.Add(e.Target.Label, e.Target.Shards, s.o.stress)
		}
	}
	shard := c.run.Add(e)
	if shard == nil {
		return
	}
	if c.live != nil {
		c.live.Done(shard.Label, shard.Run, shard.Index)
	}
	s.limit.shard(shard)
	s.screen.shard(shard)
	s.print.shard(shard, s.limit.attempts(shard.Label))
	s.checkLimit(c)
}

// idle looks at what tests print while they run.
func (s *session) idle(c *call) {
	if c.live != nil && s.screen.due() {
		c.live.Poll(func(e results.LiveEvent) {
			s.limit.live(e)
			s.screen.test(e)
			s.print.live(e)
		})
		s.screen.running = len(c.live.Started())
		s.checkLimit(c)
	}
	s.screen.draw()
}

// checkLimit stops Bazel once enough tests have failed.
func (s *session) checkLimit(c *call) {
	if s.limit.reached && !c.process.interrupted() {
		s.print.line("stopping: %s failed (--maxfail %d)", plural(len(s.limit.counted), "test"), s.limit.limit)
		c.process.interrupt()
	}
}

// takeStopped takes in what is known of shards that were stopped while they ran.
func (s *session) takeStopped(c *call) {
	if c.live == nil {
		return
	}
	c.live.Poll(func(e results.LiveEvent) { s.limit.live(e) })
	c.live.Close()
	if !s.stopped && !s.limit.reached {
		return
	}
	for _, live := range c.live.Started() {
		c.run.Stop(live)
	}
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
				fmt.Fprintln(s.screen.messages(),
					"pgcell run: interrupted: Bazel stops the running tests, which may take some seconds")
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

// summarise prints what is left to say, writes the files that were asked for and gives the exit code.
func (s *session) summarise(calls []*call) int {
	sum := s.sum(calls)
	code := exitPassed
	var why []string
	for _, c := range calls {
		v := s.verdict(c)
		if text := s.explain(c, v); text != "" {
			why = append(why, text)
		}
		if code == exitPassed || v != exitPassed && v != exitFailed {
			code = v
		}
	}
	s.print.sections(sum, s.o)
	for _, text := range why {
		s.print.line("%s", text)
	}
	run := s.record(calls, sum, code)
	past := s.past()
	if err := s.save(run); err != nil {
		s.print.line("pgcell run: %v: set XDG_CACHE_HOME to a directory that can be written to", err)
	}
	if err := s.writeFiles(sum, run, past); err != nil {
		fmt.Fprintf(s.stderr, "pgcell run: %v\n", err)
		if code == exitPassed {
			code = exitBuild
		}
	}
	s.print.closing(sum)
	return code
}
