package divide

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pgcell/pgcell/tools/internal/child"
	"github.com/pgcell/pgcell/tools/internal/gotest"
	"github.com/pgcell/pgcell/tools/internal/merge"
	"github.com/pgcell/pgcell/tools/internal/shard"
	"github.com/pgcell/pgcell/tools/internal/usage"
)

// run is a plan that runs.
type run struct {
	config         *Config
	plan           *plan
	cover          *merge.Coverage
	begin          time.Time
	seed           string
	verbose        bool
	framed         bool
	stdout, stderr *merge.Queue // stderr is nil where it is one with stdout
	ran            []*ran
	failed         atomic.Bool
	lacked         float64 // part of the time in which a process was ready to run and others had the processors, 0 to 0.9
}

// ran is one process of a run.
type ran struct {
	child.Ended
	out, err *merge.Output // err is nil where it is one with out
	report   merge.Report
	started  bool         // it ran, or runs
	pid      atomic.Int64 // for warn, which comes in between; 0 while it does not run
	failure  error
}

func newRun(c *Config, p *plan, cover *merge.Coverage, begin time.Time) *run {
	r := &run{config: c, plan: p, cover: cover, begin: begin, seed: c.arguments.Seed(begin)}
	r.verbose, r.framed = c.arguments.Verbose()
	r.stdout = merge.NewQueue(c.Stdout, len(p.units))
	if !merge.OneStream(c.Stdout, c.Stderr) {
		r.stderr = merge.NewQueue(c.Stderr, len(p.units))
	}
	begun := map[string]bool{}
	for i := range p.units {
		form := merge.Form{Framed: r.framed, Covered: cover.Covered(), Shared: map[string]bool{}, Later: map[string]bool{}}
		for test := range p.units[i].parts {
			form.Shared[test], form.Later[test] = true, begun[test]
			begun[test] = true
		}
		if i > 0 {
			form.Seed = r.seed
			if r.framed { // what comes before the first test is not the last one's of the process before
				r.stdout.Write(i, []byte("\x16=== NAME  \n"))
			}
		}
		one := &ran{out: merge.NewOutput(form, func(text []byte) { r.stdout.Write(i, text) })}
		if r.stderr != nil {
			one.err = merge.NewOutput(merge.Form{Plain: true}, func(text []byte) { r.stderr.Write(i, text) })
		}
		r.ran = append(r.ran, one)
	}
	return r
}

// all runs all processes, the longest first, as many at once as the plan says.
func (r *run) all(ctx context.Context, cancel context.CancelFunc) {
	if timeout := r.config.arguments.Timeout(); timeout > 0 {
		warning := time.AfterFunc(timeout*9/10-time.Since(r.begin), r.warn)
		defer warning.Stop()
	}
	stalls := usage.WatchStalls()
	defer func() { r.lacked = stalls() }()
	places := make(chan struct{}, r.plan.workers)
	var wg sync.WaitGroup
	var weights []time.Duration
	for _, u := range r.plan.units {
		weights = append(weights, u.weight)
	}
	for _, i := range shard.LongestFirst(weights) {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			if r.goesOn(ctx) {
				if r.ran[i].failure = r.one(ctx, i); r.ran[i].failure != nil {
					cancel()
				}
			}
			r.stdout.End(i)
			if r.stderr != nil {
				r.stderr.End(i)
			}
		})
	}
	wg.Wait()
}

// goesOn reports whether another process may start.
func (r *run) goesOn(ctx context.Context) bool {
	stopped := r.failed.Load() && r.config.arguments.FailFast()
	return !stopped && ctx.Err() == nil && r.config.signals.Received() == nil
}

// one runs process i.
func (r *run) one(ctx context.Context, i int) error {
	p, u := r.ran[i], r.plan.units[i]
	env, done, err := r.config.environment(i)
	if err != nil {
		return err
	}
	defer done()
	args, coverEnv := r.cover.Args(i)
	args = append([]string{"-test.run=" + u.run, "-test.skip=" + u.skip}, args...)
	if r.seed != "" {
		args = append(args, "-test.shuffle="+r.seed)
	}
	if timeout := r.config.arguments.Timeout(); timeout > 0 {
		left := timeout - time.Since(r.begin)
		if left < time.Millisecond { // 0 would mean none
			p.Code = 2
			p.out.Say(fmt.Sprintf("panic: test timed out after %v, before %s could run", timeout, u.names()))
			return nil
		}
		args = append(args, "-test.timeout="+left.Round(time.Millisecond).String())
	}
	one := process{
		args: append(args, r.config.arguments.Rest...), env: slices.Concat(env, coverEnv), stdout: p.out, stderr: p.out,
	}
	if p.err != nil {
		one.stderr = p.err
	}
	p.started = true
	one.started = func(pid int) { p.pid.Store(int64(pid)) }
	p.Ended, err = r.config.start(ctx, one)
	p.pid.Store(0)
	p.report = p.out.Close()
	if p.err != nil {
		p.report.NoTests = p.err.Close().NoTests
	}
	if p.Signal != nil {
		p.out.Say(fmt.Sprintf("pgcell: the process that ran %s was ended by a signal: %v", u.names(), p.Signal))
	}
	if p.Code != 0 {
		r.failed.Store(true)
	}
	return err
}

// warn says what still runs shortly before the time-out.
func (r *run) warn() {
	timeout := r.config.arguments.Timeout()
	for i, p := range r.ran {
		pid := int(p.pid.Load())
		if pid == 0 {
			continue
		}
		text := "pgcell: " + r.plan.units[i].names() + ": the process"
		if tests := p.out.Running(); len(tests) > 0 {
			text = "pgcell: " + strings.Join(tests, ", ")
		}
		text += fmt.Sprintf(" still runs, and the time-out of %v is near", timeout)
		if r.config.Waits != nil {
			if waits := r.config.Waits(pid); waits != "" {
				text += "; " + waits
			}
		}
		p.out.Say(text)
	}
}

func (r *run) errors() []error {
	var all []error
	for _, p := range r.ran {
		all = append(all, p.failure)
	}
	return all
}

// result adds up how the processes ended. A code that is neither 0 nor 1 says that the whole binary would have died.
func (r *run) result() Result {
	var result Result
	for _, p := range r.ran {
		if p.started {
			result.Processes++
		}
		if p.Signal != nil && result.Signal == nil {
			result.Signal = p.Signal
		}
		if died := p.Code > 1; died && result.Exit <= 1 || !died && result.Exit == 0 {
			result.Exit = p.Code
		}
		for _, name := range slices.Sorted(maps.Keys(p.report.Tests)) {
			if p.report.Tests[name].Verb == gotest.Fail && !strings.Contains(name, "/") {
				result.Failed = append(result.Failed, name)
			}
		}
	}
	return result
}

// finish says what is to be said once: that no test has run, the verdict, the coverage; and shows what came after the
// verdicts.
func (r *run) finish(exit int) error {
	var b strings.Builder
	none, verdict, coverage := true, "PASS", ""
	for _, p := range r.ran {
		if !p.started {
			continue
		}
		none = none && p.report.NoTests
		switch {
		case p.report.Verdict == "":
			verdict = ""
		case p.report.Verdict == "FAIL" && verdict != "":
			verdict = "FAIL"
		}
		coverage = p.report.Coverage
	}
	b.WriteString(r.shared())
	if none {
		b.WriteString(merge.NoTests + "\n")
	}
	if verdict != "" {
		if r.framed {
			b.WriteByte(merge.Marker)
		}
		b.WriteString(verdict + "\n")
	}
	if r.cover.Covered() && coverage != "" {
		percent, complete, err := r.cover.Merge()
		if err != nil {
			return err
		}
		if complete {
			b.WriteString(recount(coverage, percent) + "\n")
		}
	}
	for _, p := range r.ran {
		b.Write(p.report.After)
	}
	b.WriteString(r.ports())
	return r.stdout.Finish([]byte(b.String()))
}

// shared gives the results of tests whose subtests ran in several processes.
func (r *run) shared() string {
	var b strings.Builder
	for _, test := range r.plan.shared {
		var reports []merge.Report
		for i, p := range r.ran {
			if _, has := r.plan.units[i].parts[test]; has && p.started {
				reports = append(reports, p.report)
			}
		}
		b.WriteString(merge.Whole(test, r.framed, r.verbose, reports))
	}
	return b.String()
}

// ports names the tests that found an address in use: whoever has it may be another process of this run.
func (r *run) ports() string {
	failed := map[string][]string{}
	for i, p := range r.ran {
		for address, test := range p.report.Ports {
			if test == "" {
				test = r.plan.units[i].names()
			}
			failed[address] = append(failed[address], test)
		}
	}
	var b strings.Builder
	for _, address := range slices.Sorted(maps.Keys(failed)) {
		fmt.Fprintf(&b, "pgcell: %s failed because %s was in use: tests that listen on a fixed port cannot run in several "+
			"processes; let them listen on port 0, or keep them in one group\n",
			strings.Join(slices.Compact(slices.Sorted(slices.Values(failed[address]))), " and "), address)
	}
	return b.String()
}

// recount puts another percentage into "coverage: 12.3% of statements in ./...".
func recount(line, percent string) string {
	_, rest, ok := strings.Cut(line, "% ")
	if !ok || percent == "" {
		return line
	}
	return "coverage: " + percent + " " + rest
}
