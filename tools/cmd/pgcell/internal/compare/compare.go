// Package compare is "pgcell compare": it measures what running in parallel saves.
package compare

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/run"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/plan"
	"github.com/pgcell/pgcell/tools/internal/results"
	"github.com/pgcell/pgcell/tools/internal/screen"
	"github.com/pgcell/pgcell/tools/internal/selection"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

const long = `Run the selected tests alternately in series and in parallel, without the cache, and print a table: how long
each suite took in series and in parallel, how much time parallel runs save, and what limits them. Times are
medians of the rounds. If the times in series and in parallel overlap, the difference is noise, and no verdict is given.

Paths are the same as for "pgcell run".`

// Command gives "pgcell compare".
func Command(p *cli.Process) *cobra.Command {
	var numprocesses string
	var rounds int
	cmd := &cobra.Command{
		Use:   "compare [-n N] [--rounds N] [path[::TestName]]...",
		Short: "Measure what running in parallel saves",
		Long:  long,
		RunE: func(_ *cobra.Command, args []string) error {
			if rounds < 1 {
				return &cli.Error{Code: cli.WrongUsage, Err: fmt.Errorf("--rounds %d: want a number from 1", rounds)}
			}
			fixed, err := plan.ParseWorkers(numprocesses)
			if err != nil {
				return err
			}
			if fixed == 1 {
				return cli.Usage("-n %s: comparing takes more than one worker: give a number from 2, or auto", numprocesses)
			}
			return Run(p, numprocesses, rounds, args)
		},
	}
	cmd.Flags().StringVarP(&numprocesses, "numprocesses", "n", "auto",
		"shards that run at once in parallel: a number from 2, auto or logical")
	cmd.Flags().IntVar(&rounds, "rounds", 3, "how often each way is run; the medians count")
	return cmd
}

// Run runs the tests of paths both ways in turn and prints the table.
func Run(p *cli.Process, numprocesses string, rounds int, paths []string) error {
	o := run.Options{
		Selection: selection.Options{Paths: paths, Config: &workspace.Config{}},
		Screen:    screen.Options{Color: "auto", NoProgress: true, Durations: 5, DurationsMin: 100 * time.Millisecond},
		NoCache:   true, Dist: "load",
	}
	if text := Busy(os.DirFS("/"), plan.Cores()); text != "" {
		fmt.Fprintf(p.Stderr, "pgcell compare: %s\n", text)
	}
	var runs [2][]*measured
	for round := range rounds {
		for way, serial := range []bool{true, false} {
			o.Serial, o.Numprocesses = serial, numprocesses
			fmt.Fprintf(p.Stderr, "pgcell compare: round %d of %d, %s\n", round+1, rounds, [2]string{"in series",
				"in parallel"}[way])
			m, err := measure(p, &o)
			if err != nil {
				return err
			}
			runs[way] = append(runs[way], m)
		}
	}
	table(p, runs[0], runs[1])
	return nil
}

// Busy says, to people, that other programs use the machine before anything was measured; "" where it is idle, or does
// not tell. root is that of the file system.
func Busy(root fs.FS, cores int) string {
	text, _ := fs.ReadFile(root, "proc/loadavg") // Linux alone has it
	var load float64
	if _, err := fmt.Sscan(string(text), &load); err != nil || load < float64(cores)/2 {
		return ""
	}
	return fmt.Sprintf("the load is %.1f on %s: other programs compete with the tests, and times vary; take more --rounds, or "+
		"an idle machine", load, cli.Plural(cores, "core"))
}

// measured is one run of all suites, and of each.
type measured struct {
	took   time.Duration // from the first shard's start to the last one's end
	suites map[string]time.Duration
	shards []*results.Shard
}

// measure runs all once. It prints nothing if all tests pass; else the run's own output, and the error carries its exit
// code.
func measure(p *cli.Process, o *run.Options) (*measured, error) {
	var out strings.Builder
	quiet := *p
	quiet.Stdout = &out
	shards, err := run.Measure(&quiet, o)
	if err != nil {
		fmt.Fprint(p.Stdout, out.String())
		return nil, err
	}
	m := &measured{suites: make(map[string]time.Duration), shards: shards}
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
func table(p *cli.Process, serial, parallel []*measured) {
	labels := slices.Collect(maps.Keys(serial[0].suites))
	rows := make(map[string]row)
	width := len("all")
	for _, label := range labels {
		of := func(m *measured) time.Duration { return m.suites[label] }
		rows[label] = row{times(serial, of), times(parallel, of)}
		width = max(width, len(label))
	}
	slices.SortFunc(labels, func(a, b string) int {
		return cmp.Or(cmp.Compare(median(rows[b].serial), median(rows[a].serial)), cmp.Compare(a, b))
	})
	all := func(m *measured) time.Duration { return m.took }
	rows["all"] = row{times(serial, all), times(parallel, all)} // no label is "all"
	fmt.Fprintf(p.Stdout, "%-*s %10s %10s  %s\n", width, "suite", "serial", "parallel", "in parallel it")
	for _, label := range append(labels, "all") {
		r := rows[label]
		fmt.Fprintf(p.Stdout, "%-*s %9.2fs %9.2fs  %s\n", width, label, median(r.serial).Seconds(), median(r.parallel).Seconds(),
			r.verdict())
	}
	if len(serial) == 1 {
		fmt.Fprintln(p.Stdout, "one round does not tell differences from noise: take --rounds 3 or more")
	}
	for _, why := range middle(parallel).obstacles(middle(serial)) {
		fmt.Fprintf(p.Stdout, "held back: %s\n", why)
	}
}

// row is what a suite took in each round, sorted.
type row struct{ serial, parallel []time.Duration }

// verdict compares medians, where the two ways do not overlap.
func (r row) verdict() string {
	one, other := median(r.serial).Seconds(), median(r.parallel).Seconds()
	last := len(r.serial) - 1
	switch {
	case r.parallel[last] < r.serial[0]:
		return fmt.Sprintf("saves %.0f %%", 100*(1-other/one))
	case r.serial[last] < r.parallel[0]:
		return fmt.Sprintf("takes %.1f times as long", other/max(one, 0.001))
	}
	return "takes as long, within the noise"
}

// times gives a time of each run, sorted.
func times(runs []*measured, of func(*measured) time.Duration) []time.Duration {
	var all []time.Duration
	for _, m := range runs {
		all = append(all, of(m))
	}
	slices.Sort(all)
	return all
}

// median is the middle one of sorted times, or the mean of the two in the middle.
func median(sorted []time.Duration) time.Duration {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// middle gives the run with the median time as a whole; of two in the middle the quicker one.
func middle(runs []*measured) *measured {
	sorted := slices.SortedFunc(slices.Values(runs), func(a, b *measured) int { return cmp.Compare(a.took, b.took) })
	return sorted[(len(sorted)-1)/2]
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
			slower, plan.Cores()))
	}
	return why
}
