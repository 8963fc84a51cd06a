package shard

import (
	"slices"
	"strings"
	"time"
)

// Deal divides tests among shards, 1 or more: longest first, each to the shard that has least to do so far. A test
// without a recorded time counts as the mean of the others. Where no test of the suite has a time, they go round.
//
// Each name is in exactly one share, once; a share keeps the order of tests, and may be empty. The result depends on
// the arguments alone: equal tests go by name, equal shards by index.
func Deal(tests []string, times map[string]time.Duration, shards int) [][]string {
	tests = unique(tests)
	of := owners(tests, times, shards)
	shares := make([][]string, shards)
	for i, name := range tests {
		shares[of[i]] = append(shares[of[i]], name)
	}
	return shares
}

// owners gives the shard of each test.
func owners(tests []string, times map[string]time.Duration, shards int) []int {
	of := make([]int, len(tests))
	weights, known := Weigh(tests, times)
	if known == 0 {
		for i := range tests {
			of[i] = i % shards
		}
		return of
	}
	order := make([]int, len(tests))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if weights[a] != weights[b] {
			return int(max(-1, min(1, weights[b]-weights[a])))
		}
		return strings.Compare(tests[a], tests[b])
	})
	loads := make([]time.Duration, shards)
	for _, i := range order {
		of[i] = lightest(loads)
		loads[of[i]] += weights[i]
	}
	return of
}

// lightest gives the first of the shards that have least to do.
func lightest(loads []time.Duration) int {
	at := 0
	for i, load := range loads {
		if load < loads[at] {
			at = i
		}
	}
	return at
}

// Weigh gives the time to expect of each test, and how many of them have a recorded one. The others count as the mean
// of those, and as 0 where there are none. Negative times count as 0.
func Weigh(tests []string, times map[string]time.Duration) (weights []time.Duration, known int) {
	weights = make([]time.Duration, len(tests))
	var sum time.Duration
	for i, name := range tests {
		if recorded, ok := times[name]; ok {
			weights[i] = max(0, recorded)
			sum += weights[i]
			known++
		}
	}
	if known == 0 {
		return weights, 0
	}
	mean := sum / time.Duration(known)
	for i, name := range tests {
		if _, ok := times[name]; !ok {
			weights[i] = mean
		}
	}
	return weights, known
}

func unique(names []string) []string {
	seen := make(map[string]bool, len(names))
	var all []string
	for _, name := range names {
		if !seen[name] {
			seen[name] = true
			all = append(all, name)
		}
	}
	return all
}
