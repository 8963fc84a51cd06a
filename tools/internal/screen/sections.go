package screen

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/results"
	"github.com/pgcell/pgcell/tools/internal/summary"
)

// Sections prints all but the closing lines.
func (p *Printer) Sections(sum *summary.Summary) {
	p.releaseAll()
	if p.o.Quiet {
		p.silent(sum)
	} else {
		p.skips(sum)
		p.durations(sum)
		p.distribution(sum)
		p.cells(sum)
		p.ran(sum)
	}
	if len(sum.Flaky) > 0 {
		p.Line("\nflaky:")
		for _, f := range sum.Flaky {
			p.Line("  %s", f)
		}
	}
	p.interrupted(sum)
	p.failures(sum)
	if len(sum.Shards) > 0 && !p.o.Quiet {
		p.Line("")
	}
}

// skips lists the skipped tests by reason.
func (p *Printer) skips(sum *summary.Summary) {
	tests := make(map[string][]string)
	var order []string
	for _, s := range sum.Shards {
		for i := range s.Tests {
			all := append([]results.Test{s.Tests[i]}, s.Tests[i].Subtests...)
			for j := range all {
				if all[j].Outcome != results.Skipped {
					continue
				}
				reason := cmp.Or(all[j].SkipReason(), "no reason given")
				if tests[reason] == nil {
					order = append(order, reason)
				}
				tests[reason] = append(tests[reason], s.Title(&all[j]))
			}
		}
	}
	if len(order) > 0 {
		p.Line("\nskipped:")
	}
	for _, reason := range order {
		names := tests[reason]
		if more := len(names) - 3; more > 0 && !p.o.Verbose {
			names = append(names[:3:3], fmt.Sprintf("%d more", more))
		}
		p.Line("  %s: %s", reason, strings.Join(names, ", "))
	}
}

// durations lists the slowest tests.
func (p *Printer) durations(sum *summary.Summary) {
	slow := sum.Slowest(p.o.Durations, p.o.DurationsMin)
	if len(slow) == 0 {
		return
	}
	p.Line("\nslowest %s (of it for databases):", cli.Plural(len(slow), "test"))
	for _, t := range slow {
		cells := ""
		if t.Test.CellTime > 0 {
			cells = fmt.Sprintf("(%.3fs)", t.Test.CellTime.Seconds())
		}
		cached := ""
		if t.Shard.Cached {
			cached = " (cached)"
		}
		p.Line("  %8.2fs %9s  %s%s", t.Test.Duration.Seconds(), cells, t.Shard.Title(t.Test), cached)
	}
}

// distribution says how many shards could run at once, and how many tests each worker ran.
func (p *Printer) distribution(sum *summary.Summary) {
	lanes := results.Lanes(sum.Shards)
	if len(lanes) == 0 || len(sum.Shards) < 2 {
		return
	}
	at := fmt.Sprintf("%d at once", sum.Workers.Count)
	if sum.Workers.Why != "" && !sum.Workers.Oversubscribed() { // else it was said at the start
		at += ", " + sum.Workers.Why
	}
	if len(lanes) > 1 {
		var each []string
		for _, lane := range lanes {
			tests := 0
			for _, s := range lane {
				tests += len(s.Tests)
			}
			each = append(each, strconv.Itoa(tests))
		}
		at += "; tests run by each: " + strings.Join(each, ", ")
	}
	p.Line("\nworkers: %s", at)
}

// cells says what the databases cost.
func (p *Printer) cells(sum *summary.Summary) {
	var cells int
	var cellTime, waitTime, all time.Duration
	made := make(map[string]int)
	var kinds []string
	for _, s := range sum.Shards {
		for _, c := range s.Cells {
			if made[c.Made] == 0 {
				kinds = append(kinds, c.Made)
			}
			made[c.Made]++
			cells++
		}
		for _, t := range s.Tests {
			cellTime += t.CellTime
			waitTime += t.WaitTime
			all += max(t.Duration, t.CellTime+t.WaitTime) // Go leaves parallel subtests out of their parent's time
		}
	}
	if cells == 0 {
		return
	}
	slices.Sort(kinds)
	var parts []string
	for _, kind := range kinds {
		parts = append(parts, fmt.Sprintf("%d %s", made[kind], cmp.Or(kind, "made")))
	}
	p.Line("databases: %s; of the tests' %.2fs, getting them took %.2fs, and waiting for a turn %.2fs",
		strings.Join(parts, ", "), all.Seconds(), cellTime.Seconds(), waitTime.Seconds())
}

// ran says what was executed and why, and what the cache saved.
func (p *Printer) ran(sum *summary.Summary) {
	var cached, tests int
	var saved time.Duration
	for _, s := range sum.Shards {
		if s.Cached {
			cached++
			tests += len(s.Tests)
			saved += s.Duration
		}
	}
	for _, r := range sum.Reasons {
		labels := r.Labels
		if more := len(labels) - 5; more > 0 && !p.o.Verbose {
			labels = append(labels[:5:5], fmt.Sprintf("%d more", more))
		}
		p.Line("ran, %s: %s", r.Why, strings.Join(labels, ", "))
	}
	if cached > 0 {
		p.Line("from the cache: %d of %s, %s, %.1fs not spent again", cached, cli.Plural(len(sum.Shards), "shard"),
			cli.Plural(tests, "test"), saved.Seconds())
	}
	p.silent(sum)
	if s := sum.Subtests; s.Total() > 0 {
		p.Line("subtests: %d passed, %d failed, %d skipped", s.Passed, s.Failed, s.Skipped)
	}
}

// silent says what is not counted, for go test has not told of it.
func (p *Printer) silent(sum *summary.Summary) {
	silent := slices.DeleteFunc(slices.Clone(sum.Shards), func(s *results.Shard) bool { return !s.Silent })
	if targets, _ := results.Targets(silent); targets > 0 {
		p.Line("not counted: passed tests of %s, for rules_go ran them without -v: pg_go_test runs them with it, and so "+
			"does every go_test with build --test_env=GO_TEST_WRAP_TESTV=1 in .bazelrc", cli.Plural(targets, "target"))
	}
}

// interrupted lists what was running when the run was stopped, and what failed after that.
func (p *Printer) interrupted(sum *summary.Summary) {
	if sum.Counts.Interrupted == 0 {
		return
	}
	p.Line("\ninterrupted, not counted:")
	left := listed
	if p.o.Verbose {
		left = sum.Counts.Interrupted
	}
	for _, s := range sum.Shards {
		for i := range s.Tests {
			if t := &s.Tests[i]; t.Outcome == results.Interrupted && left > 0 {
				p.Line("  %s", s.Title(t))
				left--
			}
		}
	}
	if more := sum.Counts.Interrupted - listed; more > 0 && !p.o.Verbose {
		p.Line("  and %d more", more)
	}
}

// listed is how many interrupted tests are named without -v.
const listed = 10

// Closing prints the last two lines, with --quiet the last one.
func (p *Printer) Closing(sum *summary.Summary) {
	if sum.Targets > 0 && !p.o.Quiet {
		notRun := ""
		if sum.NotRun > 0 {
			notRun = fmt.Sprintf("%d not run, ", sum.NotRun)
		}
		p.Line("%d of %d targets cached, %s%.1fs", sum.Cached, sum.Targets, notRun, sum.Took.Seconds())
	}
	p.Line("%s", sum.Verdict())
}
