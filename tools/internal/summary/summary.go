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

// Reason says why suites were run and not taken from the cache.
type Reason struct {
	Why    string
	Labels []string
}

// Flake is a test that passed and failed.
type Flake struct {
	Title        string
	Failed, Runs int
}

func (f Flake) String() string {
	return fmt.Sprintf("%s failed %d of %d times", f.Title, f.Failed, f.Runs)
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

// Why suites ran, in the order in which they are listed.
const (
	failedLast = "failed last time"
	changed    = "changed"
	byName     = "chosen by name"
	newHere    = "new here"
)

// reasons says why what was executed was not taken from the cache, as far as the history tells.
func reasons(calls []Call, past Past, forced string) []Reason {
	failed := make(map[string]bool)
	for _, id := range past.Failed {
		failed[id.Label] = true
	}
	known := make(map[string]bool)
	for _, shard := range past.Known.All() {
		known[shard.Label] = true
	}
	why := make(map[string][]string)
	for _, c := range calls {
		for _, shard := range c.Shards {
			if shard.Cached {
				continue
			}
			word := changed
			switch {
			case forced != "":
				word = forced
			case failed[shard.Label]:
				word = failedLast
			case !known[shard.Label]:
				word = newHere
			case c.Filter != "":
				word = byName
			}
			if !slices.Contains(why[word], shard.Label) {
				why[word] = append(why[word], shard.Label)
			}
		}
	}
	var reasons []Reason
	for _, word := range []string{forced, failedLast, changed, byName, newHere} {
		if labels := why[word]; len(labels) > 0 {
			slices.Sort(labels)
			reasons = append(reasons, Reason{word, labels})
		}
	}
	return reasons
}

// flakes finds tests that both passed and failed: in several runs of one shard, or in its attempts.
func flakes(shards []*results.Shard) []Flake {
	type runs struct{ passed, failed int }
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
			tests[name].failed += s.FailedBefore(t.Name)
			switch t.Outcome {
			case results.Passed:
				tests[name].passed++
			case results.Failed:
				tests[name].failed++
			}
		}
	}
	var found []Flake
	for _, name := range order {
		if r := tests[name]; r.failed > 0 && r.passed > 0 {
			found = append(found, Flake{name, r.failed, r.failed + r.passed})
		}
	}
	return found
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
