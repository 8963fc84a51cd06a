package run

import (
	"strconv"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/results"
)

// limiter counts failed tests while they run, over all suites and shards, and tells when there are enough. What fails
// after that is no failure of this run but interrupted: the count that is printed does not overshoot.
type limiter struct {
	limit   int // 0: none
	counted map[results.Key]bool
	reached bool
	flaky   map[string]bool // labels whose tests get three attempts by themselves
	rerun   int             // attempts of all tests; 0 when not said
}

func newLimiter(o *Options) *limiter {
	l := &limiter{limit: o.Maxfail, counted: make(map[results.Key]bool), flaky: make(map[string]bool)}
	if o.Rerun > 0 {
		l.rerun = o.Rerun + 1
	}
	for _, flag := range o.Bazel {
		if text, ok := strings.CutPrefix(flag, "--flaky_test_attempts="); ok {
			l.rerun, _ = strconv.Atoi(text) // "default", or per target: 0
		}
	}
	return l
}

// attempts is how often a failed shard of a target is run at most.
func (l *limiter) attempts(label string) int {
	switch {
	case l.rerun > 0:
		return l.rerun
	case l.flaky[label]:
		return 3
	}
	return 1
}

// add counts a failure, at most once, and reports whether it is among those that count.
func (l *limiter) add(f results.Key) bool {
	if l.counted[f] {
		return true
	}
	if l.reached {
		return false
	}
	l.counted[f] = true
	l.reached = l.limit > 0 && len(l.counted) >= l.limit
	return true
}

// shard counts the failures of a shard's result. What fails after the limit becomes interrupted. Of a shard that
// will be
// run again nothing counts yet.
func (l *limiter) shard(s *results.Shard) {
	if s.OK() || s.Attempt < l.attempts(s.Label) && !l.reached {
		return
	}
	for i := range s.Tests {
		t := &s.Tests[i]
		if t.Outcome == results.Failed && !l.add(s.Key(t.Name)) {
			t.Outcome = results.Interrupted
		}
	}
	if s.Died != "" && !l.add(s.Key("")) {
		s.Died, s.Status = "", bazel.Incomplete
	}
}

// live counts a failure that a running shard's log tells of. Where shards are run again the log does not tell which
// attempt it is of, so their results alone count.
func (l *limiter) live(e results.LiveEvent) {
	if e.Test.Outcome != results.Failed || l.attempts(e.Shard.Label) > 1 {
		return
	}
	if !l.add(e.Shard.Key(e.Test.Name)) {
		e.Test.Outcome = results.Interrupted
	}
}
