// Package run is the body of "pgcell run": it calls Bazel for the chosen tests, takes in its events while it runs,
// stops it when enough tests have failed, and sums up.
package run

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/plan"
	"github.com/pgcell/pgcell/tools/internal/results"
	"github.com/pgcell/pgcell/tools/internal/screen"
	"github.com/pgcell/pgcell/tools/internal/selection"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// Options say what to run, how, and what to show of it.
type Options struct {
	Args      []string // of "pgcell run", for the report and the history
	Selection selection.Options
	Screen    screen.Options

	Numprocesses string   // -n: auto, logical or a number, see plan.ParseWorkers
	Serial       bool     // one shard after the other, whatever Numprocesses says
	Dist         string   // load, loadfile, worksteal or no
	Maxfail      int      // stop after so many failed tests; 0 for never
	Stress       int      // run each test so often; 0 for once
	Rerun        int      // run a failed shard so often again
	NoCache      bool     // run again what is cached
	Keep         bool     // keep the databases of failed tests
	Postgres     []string // each a major version, a source, or the directory of an installation; empty for Bazel's choice
	NoWait       bool     // fail if another Bazel command runs
	Report       string   // file of the HTML report; empty for none
	JUnit        string   // file of the JUnit XML; empty for none
	Bazel        []string // more flags for Bazel
}

// session is one "pgcell run": one or more calls of Bazel and a summary.
type session struct {
	*cli.Process
	o       *Options
	workers plan.Workers
	// workerFlags are Bazel's for that number.
	workerFlags []string
	bazel       *bazel.Client
	space       *workspace.Workspace
	print       *screen.Printer
	bar         *screen.Bar
	stop        chan os.Signal
	stopped     bool                   // by a signal
	left        []selection.Invocation // calls that were not made any more
	limit       *limiter
	history     *history.Store // nil where there is no place for one
	known       *history.Times
	last        []history.TestID // what failed when it last ran, before this run
	start       time.Time
	dir         string // for Bazel's events
}

// Run runs the chosen tests. Its error carries the exit code, also where all has been said already.
func Run(p *cli.Process, o *Options) error {
	s, calls, done, err := prepare(p, o)
	if err != nil {
		return err
	}
	defer done()
	calls, chosen, err := s.narrow(calls)
	if err != nil {
		return err
	}
	if o.Selection.CollectOnly {
		return s.collect(chosen)
	}
	finished, err := s.runAll(calls)
	if err != nil {
		return err
	}
	s.bar.Close()
	return cli.Exit(s.summarise(finished))
}

// Measure runs the chosen tests and gives the results of their shards. Where a test fails, or the run does, the error
// carries the exit code. What the run prints goes to p.
func Measure(p *cli.Process, o *Options) ([]*results.Shard, error) {
	s, plan, done, err := prepare(p, o)
	if err != nil {
		return nil, err
	}
	defer done()
	calls, err := s.runAll(s.repeat(plan))
	if err != nil {
		return nil, err
	}
	var shards []*results.Shard
	for _, c := range calls {
		shards = append(shards, c.run.Shards...)
	}
	return shards, cli.Exit(s.summarise(calls))
}

// prepare makes a session and the calls of Bazel that the paths ask for. done takes away what it made.
func prepare(p *cli.Process, o *Options) (s *session, calls []selection.Invocation, done func(), err error) {
	space, err := workspace.Find(p)
	if err != nil {
		return nil, nil, nil, err
	}
	if calls, err = selection.Plan(space, &o.Selection); err != nil {
		return nil, nil, nil, err
	}
	if err = checkFiles(o, space.Cwd); err != nil {
		return nil, nil, nil, err
	}
	client, err := bazel.NewClient(p, space.Root)
	if err != nil {
		return nil, nil, nil, err
	}
	client.NoWait = o.NoWait
	dir, err := os.MkdirTemp("", "pgcell-run-")
	if err != nil {
		return nil, nil, nil, cli.Broken("make a directory for Bazel's events: %w: free space there, or set TMPDIR", err)
	}
	s = newSession(p, o, space, client)
	s.dir = dir
	done = func() {
		s.bar.Close()
		signal.Stop(s.stop)
		os.RemoveAll(dir)
	}
	return s, calls, done, nil
}

func newSession(p *cli.Process, o *Options, space *workspace.Workspace, client *bazel.Client) *session {
	s := &session{Process: p, o: o, bazel: client, space: space, stop: make(chan os.Signal, 1), start: p.Now()}
	cli.NotifyStop(s.stop)
	s.history = openHistory(p, space)
	s.known, s.last = s.recorded()
	s.limit = newLimiter(o)
	s.bar = screen.NewBar(p, o.Screen, s.known)
	shown := o.Screen
	shown.Postgres, shown.Bazel = s.onlyVersion(), o.Bazel
	s.print = screen.NewPrinter(p, s.bar, space.Root, shown)
	return s
}

// runAll calls Bazel as planned, until a call shows that there is no sense in more.
func (s *session) runAll(calls []selection.Invocation) ([]*call, error) {
	s.chooseWorkers(calls)
	var finished []*call
	for i := 0; len(calls) > 0; i++ {
		inv := calls[0]
		calls = calls[1:]
		c, err := s.call(inv, filepath.Join(s.dir, fmt.Sprintf("events-%d.json", i)))
		if err != nil {
			return nil, err
		}
		finished = append(finished, c)
		calls = s.next(c, calls)
	}
	return finished, nil
}

// next gives those of the planned calls that are made after a finished one: all, unless there is no sense in more. The
// failed build of one PostgreSQL does not keep the next one from its tests.
func (s *session) next(c *call, planned []selection.Invocation) []selection.Invocation {
	verdict := s.verdict(c)
	if !s.stopped && !s.limit.reached && (verdict == cli.Passed || verdict == cli.Failed) {
		return planned
	}
	n := len(planned)
	if !s.stopped && !s.limit.reached && verdict == cli.BuildFailed {
		if n = slices.IndexFunc(planned, func(inv selection.Invocation) bool { return inv.Postgres != c.Postgres }); n < 0 {
			n = len(planned)
		}
	}
	s.left = append(s.left, planned[:n]...)
	return planned[n:]
}

// chooseWorkers decides how many shards run at once, and says so where that is not what people expect.
func (s *session) chooseWorkers(calls []selection.Invocation) {
	n := s.o.Numprocesses
	if s.o.Serial {
		n = "1"
	}
	if options := s.bazel.Configured(s.o.Bazel); options["remote_executor"] != "" {
		s.workers, s.workerFlags = plan.RemoteWorkers(n, options["jobs"])
	} else {
		s.workers = plan.ChooseWorkers(n, selection.Recorded(s.known, calls))
		s.workerFlags = s.workers.BazelFlags()
	}
	s.bar.Workers = max(s.workers.Count, 1)
	if s.workers.Oversubscribed() && s.workers.Why != "" {
		fmt.Fprintf(s.Stderr, "pgcell run: %d shards at once (-n %s): %s\n", s.workers.Count, s.o.Numprocesses, s.workers.Why)
	}
}
