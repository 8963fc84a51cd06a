package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcell/pgcell/tools/internal/results"
)

const compareLong = `Run the chosen tests in series and in parallel, in turn, with nothing from the cache, and print one table:
what each suite takes one way and the other, what is saved, and what holds parallel runs back.

Paths are those of "pgcell run".`

func (p *program) compareCommand() *cobra.Command {
	o := defaultOptions()
	var rounds int
	cmd := &cobra.Command{
		Use:   "compare [-n N] [--rounds N] [path[::TestName]]...",
		Short: "Measure what running in parallel saves",
		Long:  compareLong,
		RunE: func(_ *cobra.Command, args []string) error {
			if rounds < 1 {
				return &codedError{code: exitUsage, err: fmt.Errorf("--rounds %d: want a number from 1", rounds),
					command: "pgcell compare"}
			}
			o.paths, o.maxfailText, o.noCache, o.noProgress = args, "0", true, true
			err := o.check()
			if err == nil && o.inSeries() {
				err = usage("-n %s: comparing takes more than one worker: give a number from 2, or auto", o.numprocesses)
			}
			if err == nil {
				err = p.compare(o, rounds)
			}
			return err
		},
	}
	cmd.Flags().StringVarP(&o.numprocesses, "numprocesses", "n", "auto",
		"shards that run at once in parallel: a number from 2, auto or logical")
	cmd.Flags().IntVar(&rounds, "rounds", 1, "how often each way is run; the fastest counts")
	return cmd
}

// measured is one run of all suites, and of each.
type measured struct {
	took   time.Duration // from the first shard's start to the last one's end
	suites map[string]time.Duration
	shards []*results.Shard
}

// compare runs both ways in turn and prints the table.
func (p *program) compare(o *options, rounds int) error {
	var best [2]*measured
	for round := range rounds {
		for way, serial := range []bool{true, false} {
			one := *o
			one.serial = serial
			if serial {
				one.numprocesses, one.fixedCount = "auto", 0
			}
			fmt.Fprintf(p.stderr, "pgcell compare: round %d of %d, %s\n", round+1, rounds, [2]string{"in series",
				"in parallel"}[way])
			m, err := p.measure(&one)
			if err != nil || p.code != exitPassed {
				return err
			}
			if best[way] == nil || m.took < best[way].took {
				best[way] = m
			}
		}
	}
	p.table(best[0], best[1])
	return nil
}

// measure runs all once and prints nothing where all pass; else p.code is not exitPassed.
func (p *program) measure(o *options) (*measured, error) {
	quiet := *p
	var out strings.Builder
	quiet.stdout = &out
	s, plan, done, err := quiet.prepare(o)
	if err != nil {
		return nil, err
	}
	defer done()
	calls, err := s.runAll(plan)
	if err != nil {
		return nil, err
	}
	m := &measured{suites: make(map[string]time.Duration)}
	for _, c := range calls {
		m.shards = append(m.shards, c.run.Shards...)
	}
	if p.code = s.summarise(calls); p.code != exitPassed {
		fmt.Fprint(p.stdout, out.String())
	}
	m.measure()
	return m, nil
}

// measure sets the times by when shards began and ended, so that building is no part of them.
func (m *measured) measure() {
	m.took = span(m.shards)
	for _, s := range m.shards {
		if _, known := m.suites[s.Label]; !known {
			m.suites[s.Label] = span(slices.DeleteFunc(slices.Clone(m.shards),
				func(o *results.Shard) bool { return o.Label != s.Label }))
		}
	}
}

// span is the time from the first start to the last end.
func span(shards []*results.Shard) time.Duration {
	var start, end time.Time
	for _, s := range shards {
		if start.IsZero() || s.Start.Before(start) {
			start = s.Start
		}
		if s.End().After(end) {
			end = s.End()
		}
	}
	return end.Sub(start)
}

// table prints both ways side by side.
func (p *program) table(serial, parallel *measured) {
	labels := make([]string, 0, len(serial.suites))
	width := len("all")
	for label := range serial.suites {
		labels = append(labels, label)
		width = max(width, len(label))
	}
	slices.SortFunc(labels, func(a, b string) int {
		return cmp.Or(cmp.Compare(serial.suites[b], serial.suites[a]), cmp.Compare(a, b))
	})
	fmt.Fprintf(p.stdout, "%-*s %10s %10s %8s\n", width, "suite", "serial", "parallel", "saved")
	row := func(label string, one, other time.Duration) {
		saved := 0.0
		if one > 0 {
			saved = 100 * (1 - other.Seconds()/one.Seconds())
		}
		fmt.Fprintf(p.stdout, "%-*s %9.2fs %9.2fs %6.0f %%\n", width, label, one.Seconds(), other.Seconds(), saved)
	}
	for _, label := range labels {
		row(label, serial.suites[label], parallel.suites[label])
	}
	row("all", serial.took, parallel.took)
	for _, why := range parallel.obstacles(serial) {
		fmt.Fprintf(p.stdout, "held back: %s\n", why)
	}
}

// obstacles says why parallel was not quicker still.
func (m *measured) obstacles(serial *measured) []string {
	var why []string
	var busy time.Duration
	var longest *results.Shard
	for _, s := range m.shards {
		busy += s.Duration
		if longest == nil || s.Duration > longest.Duration {
			longest = s
		}
	}
	if longest == nil {
		return nil
	}
	if 2*longest.Duration > m.took {
		why = append(why, fmt.Sprintf("%s alone takes %.2fs of the %.2fs: give its suite more shards, or split its "+
			"longest test",
			longest, longest.Duration.Seconds(), m.took.Seconds()))
	}
	if atOnce := busy.Seconds() / max(m.took.Seconds(), 0.001); len(m.shards) > 1 && atOnce < 1.5 {
		why = append(why, fmt.Sprintf("%.1f shards ran at once on average, of %d in all", atOnce, len(m.shards)))
	}
	var alone time.Duration
	for _, s := range serial.shards {
		alone += s.Duration
	}
	if slower := busy.Seconds() / max(alone.Seconds(), 0.001); slower > 1.3 {
		why = append(why, fmt.Sprintf("each shard took %.1f times as long beside others: they compete for %d cores",
			slower, cores()))
	}
	return why
}
