package shard

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	// startUps is how many times its start a process must run, for its start to be worth while.
	startUps = 3
	// perCore is the most processes for a core, however much they wait.
	perCore = 8
)

// Past is what earlier runs have shown, all processes together, without their starts.
type Past struct {
	Wall, CPU time.Duration
	// Tests is the sum of the times of the tests, which is more than Wall where they run in parallel in a process.
	Tests time.Duration
	// StartUp is how long a process takes to start.
	StartUp time.Duration
}

// Auto gives how many processes pay for some tests: no more than finish before the longest test does, none that is shorter
// than a few start-ups, and as many as keep the cores busy. Tests that have not run before get as many as there are cores.
func Auto(tests []string, times map[string]time.Duration, past Past, cores int) int {
	weights, known := Weigh(tests, times)
	if known == 0 || past.Wall <= 0 {
		return min(cores, len(tests))
	}
	var sum, longest time.Duration
	for _, w := range weights {
		sum += w
		longest = max(longest, w)
	}
	// Tests that run in parallel inside of a process take less than the sum of their times.
	wall := min(sum.Seconds(), past.Wall.Seconds()*sum.Seconds()/max(past.Tests.Seconds(), 0.001))
	n := min(float64(len(tests)), float64(perCore*cores))
	n = min(n, math.Ceil(sum.Seconds()/max(longest.Seconds(), 0.001)))
	n = min(n, wall/(startUps*max(past.StartUp.Seconds(), 0.001)))
	if busy := past.CPU.Seconds() / past.Wall.Seconds(); busy > 0 { // cores that one process uses
		n = min(n, math.Ceil(float64(cores)/busy-0.25))
	}
	return max(1, int(n))
}

// LongestFirst gives the indexes of weights in the order in which to start: the longest first, so that none of them is
// left for the end.
func LongestFirst(weights []time.Duration) []int {
	order := make([]int, len(weights))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weights[b], weights[a]) })
	return order
}
