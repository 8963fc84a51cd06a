// Package results turns Bazel's events and the test.xml files of a run into results by test.
//
// Goals: the same counts whether a result is fresh or cached, and no failure that goes uncounted: a
// shard that died without a word is one. Non-goals: printing; running Bazel.
package results

import (
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/bazel"
)

// Counts are top-level tests: a subtest is part of its test. A shard that died outside of its tests
// counts as one failed test.
type Counts struct {
	Passed, Failed, Skipped int

	// Interrupted tests have no result that counts.
	Interrupted int
}

// Total is the number of tests that have a result; interrupted ones have none.
func (c Counts) Total() int { return c.Passed + c.Failed + c.Skipped }

// Run gathers one test run out of the events of one or more Bazel commands. The zero value is an
// empty run. It is not safe for concurrent use.
type Run struct {
	Shards  []*Shard        // with a result, in the order in which they ended; of attempts, the last
	Broken  []*bazel.Action // failed actions
	Aborted []*bazel.Aborted
	Errors  []string // Bazel's messages that begin with "ERROR: ", without that

	// Unbuilt lists the labels that failed to build or to be analysed, each once.
	Unbuilt []string

	index  map[shardKey]int
	totals map[targetKey]int
	tests  map[string]struct{} // labels of the targets whose tests are to run
}

type targetKey struct{ label, config string }

type shardKey struct {
	targetKey
	run, shard int
}

// Add takes an event in. It returns the shard whose result the event brought, with its tests read
// from test.xml, and nil for every other event.
func (r *Run) Add(e bazel.Event) *Shard {
	switch {
	case e.Configured != nil && e.Configured.Test:
		r.expect(e.Configured.Label)
	case e.Target != nil:
		r.target(e.Target)
	case e.Action != nil && !e.Action.OK:
		r.Broken = append(r.Broken, e.Action)
	case e.Summary != nil && e.Summary.Status == bazel.FailedToBuild:
		r.unbuilt(e.Summary.Label)
	case e.Aborted != nil:
		r.Aborted = append(r.Aborted, e.Aborted)
		if e.Aborted.Reason == bazel.ReasonSkipped {
			delete(r.tests, e.Aborted.Label)
		}
		if e.Aborted.Label != "" && e.Aborted.Reason == bazel.ReasonAnalysis {
			r.unbuilt(e.Aborted.Label)
		}
	case e.Progress != nil:
		for line := range strings.Lines(e.Progress.Stderr) {
			if text, ok := strings.CutPrefix(line, "ERROR: "); ok {
				r.Errors = append(r.Errors, strings.TrimSpace(text))
			}
		}
	case e.Result != nil:
		return r.result(e.Result)
	}
	return nil
}

func (r *Run) target(t *bazel.Target) {
	if r.totals == nil {
		r.totals = make(map[targetKey]int)
	}
	r.totals[targetKey{t.Label, t.Config}] = t.Shards
	switch {
	case !t.OK:
		r.unbuilt(t.Label)
	case t.Shards > 0:
		r.expect(t.Label)
	default: // no test, or one that a filter leaves out
		delete(r.tests, t.Label)
	}
}

// expect notes that a target's tests are to run.
func (r *Run) expect(label string) {
	if r.tests == nil {
		r.tests = make(map[string]struct{})
	}
	r.tests[label] = struct{}{}
}

func (r *Run) unbuilt(label string) {
	for _, l := range r.Unbuilt {
		if l == label {
			return
		}
	}
	r.Unbuilt = append(r.Unbuilt, label)
}

func (r *Run) result(res *bazel.TestResult) *Shard {
	target := targetKey{res.Label, res.Config}
	s := &Shard{
		Label: res.Label, Config: res.Config, Run: res.Run, Index: res.Shard - 1, Total: max(r.totals[target], res.Shard),
		Attempt: res.Attempt, Status: res.Status, Cached: res.Cached, Start: res.Start, Duration: res.Duration,
	}
	s.read(res)

	key := shardKey{target, res.Run, res.Shard}
	if r.index == nil {
		r.index = make(map[shardKey]int)
	}
	if i, again := r.index[key]; again {
		if r.Shards[i].Attempt <= s.Attempt {
			s.Earlier = append(r.Shards[i].Earlier, r.Shards[i])
			r.Shards[i] = s
		}
	} else {
		r.index[key] = len(r.Shards)
		r.Shards = append(r.Shards, s)
	}
	return s
}

// Subtests counts subtests in the same way.
func Subtests(shards []*Shard) Counts {
	var c Counts
	for _, s := range shards {
		for _, t := range s.Tests {
			for _, sub := range t.Subtests {
				c.add(sub.Outcome)
			}
		}
	}
	return c
}

func (c *Counts) add(o Outcome) {
	switch o {
	case Passed:
		c.Passed++
	case Skipped:
		c.Skipped++
	case Failed:
		c.Failed++
	case Interrupted:
		c.Interrupted++
	}
}

// Counts counts the tests of all shards.
func (r *Run) Counts() Counts {
	var c Counts
	for _, s := range r.Shards {
		for _, t := range s.Tests {
			c.add(t.Outcome)
		}
		if s.Died != "" {
			c.Failed++
		}
	}
	return c
}

// Targets counts the test targets that shards belong to, and those of them of which every shard
// came from a cache.
func Targets(shards []*Shard) (all, cached int) {
	fresh := make(map[targetKey]bool)
	for _, s := range shards {
		key := targetKey{s.Label, s.Config}
		fresh[key] = fresh[key] || !s.Cached
	}
	for _, f := range fresh {
		if !f {
			cached++
		}
	}
	return len(fresh), cached
}

// NotRun counts the test targets none of whose shards was started or came from a cache, though nothing is wrong with the
// targets: the run was stopped before.
func (r *Run) NotRun() int {
	n := 0
	for label := range r.tests {
		if !slices.Contains(r.Unbuilt, label) && !slices.ContainsFunc(r.Shards, func(s *Shard) bool { return s.Label == label }) {
			n++
		}
	}
	return n
}

// Interrupted counts the shards that were stopped before they had a result.
func (r *Run) Interrupted() int {
	n := 0
	for _, a := range r.Aborted {
		if a.Shard > 0 && a.Reason == bazel.ReasonInterrupted {
			n++
		}
	}
	return n
}

// Unknown reports whether tests may have passed that nothing tells of.
func (r *Run) Unknown() bool { return slices.ContainsFunc(r.Shards, (*Shard).Unknown) }

// Has reports whether a test of this name, subtests included, has a result in this run.
func (r *Run) Has(name string) bool {
	for _, s := range r.Shards {
		for _, t := range s.Tests {
			if t.Name == name {
				return true
			}
			for _, sub := range t.Subtests {
				if sub.Name == name {
					return true
				}
			}
		}
	}
	return false
}

// Stop takes in what is known of a shard that was stopped while it ran: the tests that ended have their result, those
// that ran are interrupted.
func (r *Run) Stop(live *LiveShard) *Shard {
	s := live.Shard()
	s.Attempt, s.Status, s.Tests = 1, bazel.Incomplete, live.Tests()
	for i := range s.Tests {
		if s.Tests[i].Outcome == Running {
			s.Tests[i].Outcome = Interrupted
		}
	}
	r.Shards = append(r.Shards, s)
	return s
}
