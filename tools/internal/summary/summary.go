// Package summary adds up a run: what was counted, what is flaky, what was slow, and why it was not taken from the
// cache.
package summary

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/plan"
	"github.com/pgcell/pgcell/tools/internal/results"
)

// Summary is what stands below the results, in the terminal and in the report.
type Summary struct {
	Shards         []*results.Shard // of all calls of Bazel
	Counts         results.Counts
	Subtests       results.Counts
	Targets        int // test targets
	Cached, NotRun int // those of them that came from a cache as a whole, and those that the end of the run came before
	Took           time.Duration
	Reasons        []Reason
	Flaky          []Flake
	Workers        plan.Workers
}

// Timed is a test with its shard.
type Timed struct {
	Shard *results.Shard
	Test  *results.Test
}

// Call is one call of Bazel.
type Call struct {
	*results.Run
	Filter string // by name; empty for all tests
}

// Past is what earlier runs tell.
type Past struct {
	Known  *history.Times
	Failed []history.TestID // what failed when it last ran
}

// New adds up the calls of a run. forced is the flag for which nothing was taken from the cache; empty for none.
func New(calls []Call, past Past, forced string) *Summary {
	sum := &Summary{}
	for _, c := range calls {
		sum.Shards = append(sum.Shards, c.Shards...)
		n := c.Counts()
		sum.Counts.Passed += n.Passed
		sum.Counts.Failed += n.Failed
		sum.Counts.Skipped += n.Skipped
		sum.Counts.Interrupted += n.Interrupted
		sum.NotRun += c.NotRun()
	}
	sum.Targets, sum.Cached = results.Targets(sum.Shards)
	sum.Targets += sum.NotRun
	sum.Subtests = results.Subtests(sum.Shards)
	sum.Flaky = flakes(sum.Shards)
	sum.Reasons = reasons(calls, past, forced)
	return sum
}

// Slowest gives the tests that took at least the least duration, slowest first; n = 0 gives all.
func (sum *Summary) Slowest(n int, least time.Duration) []Timed {
	var tests []Timed
	for _, s := range sum.Shards {
		for i := range s.Tests {
			if t := &s.Tests[i]; t.Duration >= least {
				tests = append(tests, Timed{s, t})
			}
		}
	}
	slices.SortStableFunc(tests, func(a, b Timed) int {
		return cmp.Or(cmp.Compare(b.Test.Duration, a.Test.Duration), strings.Compare(a.Shard.Title(a.Test),
			b.Shard.Title(b.Test)))
	})
	if n > 0 && len(tests) > n {
		tests = tests[:n]
	}
	return tests
}

// Verdict is the closing line.
func (sum *Summary) Verdict() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", sum.Counts.Passed, sum.Counts.Failed, sum.Counts.Skipped)
}
