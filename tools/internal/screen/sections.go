package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/results"
)

// summary is what stands below the results, in the terminal and in the report.
type summary struct {
	shards          []*results.Shard
	counts          results.Counts
	subtests        results.Counts
	targets, cached int
	took            time.Duration
	reasons         []reason
	flaky           []flake
	workers         workers
}

// reason says why suites were run and not taken from the cache.
type reason struct {
	why    string
	labels []string
}

// flake is a test that passed and failed.
type flake struct {
	title        string
	failed, runs int
}

func (f flake) String() string {
	return fmt.Sprintf("%s failed %d of %d times", f.title, f.failed, f.runs)
}

// timed is a test with its shard.
type timed struct {
	shard *results.Shard
	test  *results.Test
}

// sum gathers the calls' results.
func (s *session) sum(calls []*call) *summary {
	sum := &summary{took: now().Sub(s.start), workers: s.workers}
	for _, c := range calls {
		sum.shards = append(sum.shards, c.run.Shards...)
		n := c.run.Counts()
		sum.counts.Passed += n.Passed
		sum.counts.Failed += n.Failed
		sum.counts.Skipped += n.Skipped
		sum.counts.Interrupted += n.Interrupted
	}
	sum.targets, sum.cached = results.Targets(sum.shards)
	sum.subtests = results.Subtests(sum.shards)
	sum.flaky = flakes(sum.shards)
	sum.reasons = s.reasons(calls)
	return sum
}

// reasons says why what was executed was not taken from the cache, as far as the history tells.
func (s *session) reasons(calls []*call) []reason {
	failed := make(map[string]bool)
	for _, id := range s.last {
		failed[id.Label] = true
	}
	known := make(map[string]bool)
	for _, shard := range s.known.All() {
		known[shard.Label] = true
	}
	why := make(map[string][]string)
	for _, c := range calls {
		for _, shard := range c.run.Shards {
			if shard.Cached {
				continue
			}
			word := "changed"
			switch {
			case s.o.stress > 0:
				word = "--stress"
			case s.o.noCache:
				word = "--no-cache"
			case failed[shard.Label]:
				word = "failed last time"
			case !known[shard.Label]:
				word = "new here"
			case c.filter() != "":
				word = "chosen by name"
			}
			if !slices.Contains(why[word], shard.Label) {
				why[word] = append(why[word], shard.Label)
			}
		}
	}
	var reasons []reason
	for _, word := range []string{"--stress", "--no-cache", "failed last time", "changed", "chosen by name", "new here"} {
		if labels := why[word]; len(labels) > 0 {
			slices.Sort(labels)
			reasons = append(reasons, reason{word, labels})
		}
	}
	return reasons
}

// flakes finds tests that both passed and failed: in several runs of one shard, or in its attempts.
func flakes(shards []*results.Shard) []flake {
	type runs struct{ failed, all int }
	tests := make(map[string]*runs)
	var order []string
	for _, s := range shards {
		for _, t := range s.Tests {
			name := s.Label
			if t.Name != "" {
				name += "::" + t.Name
			}
			if tests[name] == nil {
				tests[name] = &runs{}
				order = append(order, name)
			}
			if t.Outcome == results.Failed || s.FailedBefore(t.Name) > 0 {
				tests[name].failed += max(s.FailedBefore(t.Name), 1)
			}
			tests[name].all += 1 + s.FailedBefore(t.Name)
		}
	}
	var found []flake
	for _, name := range order {
		if r := tests[name]; r.failed > 0 && r.failed < r.all {
			found = append(found, flake{name, r.failed, r.all})
		}
	}
	return found
}

// slowest gives the tests that took at least the least duration, slowest first; n = 0 gives all.
func (sum *summary) slowest(n int, least time.Duration) []timed {
	var tests []timed
	for _, s := range sum.shards {
		for i := range s.Tests {
			if t := &s.Tests[i]; t.Duration >= least {
				tests = append(tests, timed{s, t})
			}
		}
	}
	slices.SortStableFunc(tests, func(a, b timed) int {
		return cmp.Or(cmp.Compare(b.test.Duration, a.test.Duration), strings.Compare(title(a.shard, a.test),
			title(b.shard, b.test)))
	})
	if n > 0 && len(tests) > n {
		tests = tests[:n]
	}
	return tests
}

// sections prints all but the closing lines.
func (p *printer) sections(sum *summary, o *options) {
	p.releaseAll()
	p.skips(sum)
	p.durations(sum, o)
	p.distribution(sum)
	p.cells(sum)
	p.ran(sum)
	if len(sum.flaky) > 0 {
		p.line("\nflaky:")
		for _, f := range sum.flaky {
			p.line("  %s", f)
		}
	}
	p.interrupted(sum)
	p.failures(sum)
	if p.lines(sum) {
		p.line("")
	}
}

// lines reports whether any section was printed.
func (p *printer) lines(sum *summary) bool { return len(sum.shards) > 0 }

// skips lists the skipped tests by reason.
func (p *printer) skips(sum *summary) {
	tests := make(map[string][]string)
	var order []string
	for _, s := range sum.shards {
		for i := range s.Tests {
			all := append([]results.Test{s.Tests[i]}, s.Tests[i].Subtests...)
			for j := range all {
				if all[j].Outcome != results.Skipped {
					continue
				}
				reason := cmp.Or(skipReason(&all[j]), "no reason given")
				if tests[reason] == nil {
					order = append(order, reason)
				}
				tests[reason] = append(tests[reason], title(s, &all[j]))
			}
		}
	}
	if len(order) > 0 {
		p.line("\nskipped:")
	}
	for _, reason := range order {
		names := tests[reason]
		if more := len(names) - 3; more > 0 && !p.verbose {
			names = append(names[:3:3], fmt.Sprintf("%d more", more))
		}
		p.line("  %s: %s", reason, strings.Join(names, ", "))
	}
}

// durations lists the slowest tests.
func (p *printer) durations(sum *summary, o *options) {
	slow := sum.slowest(o.durations, o.durationsMin)
	if len(slow) == 0 {
		return
	}
	p.line("\nslowest %s (of it for databases):", plural(len(slow), "test"))
	for _, t := range slow {
		cells := ""
		if t.test.CellTime > 0 {
			cells = fmt.Sprintf("(%.3fs)", t.test.CellTime.Seconds())
		}
		cached := ""
		if t.shard.Cached {
			cached = " (cached)"
		}
		p.line("  %8.2fs %9s  %s%s", t.test.Duration.Seconds(), cells, title(t.shard, t.test), cached)
	}
}

// distribution says how many tests each worker had.
func (p *printer) distribution(sum *summary) {
	tests := make(map[string]int)
	var names []string
	for _, s := range sum.shards {
		if !slices.Contains(names, s.Worker()) {
			names = append(names, s.Worker())
		}
		tests[s.Worker()] += len(s.Tests)
	}
	if len(names) < 2 {
		return
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s %d", name, tests[name]))
	}
	at := fmt.Sprintf("%d at once", sum.workers.count)
	if sum.workers.why != "" && sum.workers.count <= cores() { // else it was said at the start
		at += ", " + sum.workers.why
	}
	p.line("\nworkers (%s), tests: %s", at, strings.Join(parts, ", "))
}

// cells says what the databases cost.
func (p *printer) cells(sum *summary) {
	var cells int
	var cellTime, waitTime, all time.Duration
	made := make(map[string]int)
	var kinds []string
	for _, s := range sum.shards {
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
	p.line("databases: %s, %.2fs of %.2fs of the tests' time, %.2fs of waiting",
		strings.Join(parts, ", "), cellTime.Seconds(), all.Seconds(), waitTime.Seconds())
}

// ran says what was executed and why, and what the cache saved.
func (p *printer) ran(sum *summary) {
	var cached, tests int
	var saved time.Duration
	for _, s := range sum.shards {
		if s.Cached {
			cached++
			tests += len(s.Tests)
			saved += s.Duration
		}
	}
	for _, r := range sum.reasons {
		labels := r.labels
		if more := len(labels) - 5; more > 0 && !p.verbose {
			labels = append(labels[:5:5], fmt.Sprintf("%d more", more))
		}
		p.line("ran, %s: %s", r.why, strings.Join(labels, ", "))
	}
	if cached > 0 {
		p.line("from the cache: %d of %s, %s, %.1fs not spent again", cached, plural(len(sum.shards), "shard"),
			plural(tests, "test"), saved.Seconds())
	}
	if s := sum.subtests; s.Total() > 0 {
		p.line("subtests: %d passed, %d failed, %d skipped", s.Passed, s.Failed, s.Skipped)
	}
}

// interrupted lists what was running when the run was stopped, and what failed after that.
func (p *printer) interrupted(sum *summary) {
	if sum.counts.Interrupted == 0 {
		return
	}
	p.line("\ninterrupted, not counted:")
	left := listed
	if p.verbose {
		left = sum.counts.Interrupted
	}
	for _, s := range sum.shards {
		for i := range s.Tests {
			if t := &s.Tests[i]; t.Outcome == results.Interrupted && left > 0 {
				p.line("  %s", title(s, t))
				left--
			}
		}
	}
	if more := sum.counts.Interrupted - listed; more > 0 && !p.verbose {
		p.line("  and %d more", more)
	}
}

// listed is how many interrupted tests are named without -v.
const listed = 10

// failures names all that failed.
func (p *printer) failures(sum *summary) {
	if sum.counts.Failed == 0 {
		return
	}
	for _, s := range sum.shards { // of stopped shards
		for _, t := range s.Failed() {
			p.failure(s, &t)
		}
	}
	p.line("\nfailed:")
	for _, s := range sum.shards {
		for _, t := range s.Failed() {
			p.line("  %s", title(s, &t))
		}
		if s.Died != "" {
			p.line("  %s: %s", s, s.Died)
		}
	}
}

// closing prints the last two lines.
func (p *printer) closing(sum *summary) {
	if sum.targets > 0 {
		p.line("%d of %d targets cached, %.1fs", sum.cached, sum.targets, sum.took.Seconds())
	}
	p.line("%s", sum.verdict())
}

// verdict is the closing line.
func (sum *summary) verdict() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", sum.counts.Passed, sum.counts.Failed, sum.counts.Skipped)
}
