package divide

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/shard"
)

// longestArgument is the most that an argument may hold: Linux takes 128 KiB (MAX_ARG_STRLEN, execve(2)).
const longestArgument = 120 << 10

// plan is which tests run in which process.
type plan struct {
	units   []unit // in the order in which they are shown
	workers int    // how many run at once
	known   *record
	tests   []string      // all of the binary
	shared  []string      // tests whose subtests are divided among units
	listed  time.Duration // how long the binary took to list its tests
	startUp time.Duration // that, or less where it took less before: the machine may have been busy
}

// unit is what one process runs.
type unit struct {
	tests     []string
	parts     map[string]parts // of tests that it shares with others
	run, skip string           // values of flags
	weight    time.Duration    // to expect
}

// plan divides the tests; nil where they are not to be divided.
func (c *Config) plan(ctx context.Context) (*plan, error) {
	filter, err := shard.ParseFilter(c.arguments.Flags["run"], c.arguments.Flags["skip"])
	if err != nil {
		return nil, nil // the binary says it in its own words
	}
	output, listed, ok, err := c.list(ctx)
	if err != nil || !ok {
		return nil, err
	}
	all := shard.Listed(output)
	items := group(filter.Select(all), c.Groups)
	p := &plan{tests: all, listed: listed, startUp: listed, known: c.known()}
	if p.known.StartSeconds > 0 {
		p.startUp = min(listed, time.Duration(p.known.StartSeconds*float64(time.Second)))
	}
	keys, times := p.weigh(items)
	if c.Suites {
		keys = p.divideSuites(filter, items, keys, times)
	}
	if len(keys) < 2 && !c.Suites { // a suite is run so that its parts are known the next time
		return nil, nil
	}
	p.workers = max(1, min(c.Shards, len(keys)))
	if c.Shards == 0 {
		p.workers = shard.Auto(keys, times, p.known.past(p.startUp), runtime.GOMAXPROCS(0))
	}
	if len(keys) == 0 {
		return nil, nil
	}
	shares := make([][]string, 0, len(keys))
	if c.Each {
		for _, key := range keys {
			shares = append(shares, []string{key})
		}
	} else {
		shares = shard.Deal(keys, times, p.workers)
	}
	p.fill(filter, shares, items, times)
	return p, nil
}

// group puts tests that must stay together into one item, where the first of them is, in the order of tests. Groups that
// share a test are one.
func group(tests []string, groups [][]string) [][]string {
	first := map[string]string{} // test → what stands for its group
	of := func(name string) string {
		for first[name] != "" && first[name] != name {
			name = first[name]
		}
		return name
	}
	for _, g := range groups {
		for _, name := range g {
			first[of(name)] = of(g[0])
		}
	}
	var items [][]string
	at := map[string]int{}
	for _, name := range tests {
		item, known := at[of(name)]
		if !known {
			item = len(items)
			at[of(name)] = item
			items = append(items, nil)
		}
		items[item] = append(items[item], name)
	}
	return items
}

// weigh gives the name by which each item is dealt, and the times of those that have one.
func (p *plan) weigh(items [][]string) (keys []string, times map[string]time.Duration) {
	times = map[string]time.Duration{}
	for _, item := range items {
		keys = append(keys, item[0])
		for _, name := range item {
			if seconds, ok := p.known.Tests[name]; ok {
				times[item[0]] += time.Duration(seconds * float64(time.Second))
			}
		}
	}
	return keys, times
}

// fill makes the units of shares. A share whose pattern is too long for an argument is divided further.
func (p *plan) fill(filter shard.Filter, shares [][]string, items [][]string, times map[string]time.Duration) {
	of := map[string][]string{}
	for _, item := range items {
		of[item[0]] = item
	}
	for len(shares) > 0 {
		share := shares[0]
		shares = shares[1:]
		var u unit
		for _, key := range share {
			u.tests = append(u.tests, of[key]...)
			u.weight += times[key]
			if test, sub, isPart := strings.Cut(key, "/"); isPart {
				u.take(test, sub)
			}
		}
		slices.SortFunc(u.tests, func(a, b string) int { return slices.Index(p.tests, a) - slices.Index(p.tests, b) })
		u.run, u.skip = filter.Narrow(u.tests)
		p.narrow(&u)
		if half := len(share) / 2; len(u.run) > longestArgument && half > 0 {
			shares = slices.Concat([][]string{share[:half], share[half:]}, shares)
			continue
		}
		p.units = append(p.units, u)
	}
}

// names gives the tests of a unit, for people.
func (u unit) names() string {
	const shown = 5
	if len(u.tests) <= shown {
		return strings.Join(u.tests, ", ")
	}
	return strings.Join(u.tests[:shown], ", ") + ", ..."
}
