package divide

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/shard"
)

// parts are the subtests of one test that a unit runs, and whether it runs those that are not known from earlier runs.
type parts struct {
	known []string
	rest  bool
}

// divideSuites replaces the keys of tests whose subtests are known by keys of those, "Test/sub", and one of the rest,
// "Test/". A test that the filter lets run in part, or that is in a group, stays whole.
func (p *plan) divideSuites(filter shard.Filter, items [][]string, keys []string, times map[string]time.Duration) []string {
	var all []string
	for i, test := range keys {
		known := p.known.Parts[test]
		if run, _ := filter.Narrow([]string{test}); len(known) < 2 || len(items[i]) > 1 || run != whole(test) {
			all = append(all, test)
			continue
		}
		p.shared = append(p.shared, test)
		for _, sub := range slices.Sorted(maps.Keys(known)) {
			all = append(all, test+"/"+sub)
			times[test+"/"+sub] = time.Duration(known[sub] * float64(time.Second))
		}
		all = append(all, test+"/")
		times[test+"/"] = time.Millisecond
	}
	return all
}

// take adds a part to a unit; an empty name is the rest.
func (u *unit) take(test, sub string) {
	if u.parts == nil {
		u.parts = map[string]parts{}
	}
	mine := u.parts[test]
	if mine.rest = mine.rest || sub == ""; sub != "" {
		mine.known = append(mine.known, sub)
	}
	u.parts[test] = mine
}

// whole selects one test.
func whole(test string) string { return "^(" + regexp.QuoteMeta(test) + ")$" }

// narrow adds the parts of tests to what a unit selects.
func (p *plan) narrow(u *unit) {
	if len(u.parts) > 0 && len(u.tests) == 0 {
		u.run = ""
	}
	for _, test := range slices.Sorted(maps.Keys(u.parts)) {
		mine := u.parts[test]
		if !mine.rest {
			u.run = or(u.run, whole(test)+"/"+anyOf(mine.known))
			continue
		}
		u.run = or(u.run, whole(test))
		others := slices.DeleteFunc(slices.Sorted(maps.Keys(p.known.Parts[test])), func(sub string) bool {
			return slices.Contains(mine.known, sub)
		})
		if len(others) > 0 {
			u.skip = or(u.skip, whole(test)+"/"+anyOf(others))
		}
	}
}

func anyOf(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	return "^(" + strings.Join(quoted, "|") + ")$"
}

func or(one, other string) string {
	if one == "" {
		return other
	}
	return one + "|" + other
}

// mostParts is how many subtests of a test are recorded: tables of more are not worth a process each.
const mostParts = 2000

// recordParts records the subtests that ran, and adds up the times of tests that several processes shared.
func (r *run) recordParts(next *record) {
	if !r.config.Suites {
		return
	}
	next.Parts = map[string]map[string]float64{}
	for _, p := range r.ran {
		for name, o := range p.report.Tests {
			test, sub, below := strings.Cut(name, "/")
			if !below || strings.Contains(sub, "/") || len(next.Parts[test]) == mostParts {
				continue
			}
			if next.Parts[test] == nil {
				next.Parts[test] = map[string]float64{}
			}
			next.Parts[test][sub] = o.Took.Seconds() / float64(o.Times)
		}
	}
	for test, known := range r.plan.known.Parts {
		if next.Parts[test] == nil && slices.Contains(r.plan.tests, test) { // it did not run, or without -v
			next.Parts[test] = known
		}
	}
	for _, test := range r.plan.shared {
		var sum float64
		for _, seconds := range next.Parts[test] {
			sum += seconds
		}
		next.Tests[test] = sum
	}
}
