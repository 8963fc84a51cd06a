package divide

import (
	"math"
	"time"

	"github.com/pgcell/pgcell/tools/internal/shard"
)

const (
	// startUps is how many times its start a process must run, for its start to be worth while.
	startUps = 3
	// perCore is the most processes for a core, however much they wait.
	perCore = 8
)

// auto gives how many processes pay: no more than finish before the longest test does, none that is shorter than a few
// start-ups, and as many as keep the cores busy. A binary that has not run before gets as many as there are cores.
func (p *plan) auto(keys []string, times map[string]time.Duration, cores int) int {
	weights, known := shard.Weigh(keys, times)
	if known == 0 || p.known.WallSeconds <= 0 {
		return min(cores, len(keys))
	}
	var sum, longest time.Duration
	for _, w := range weights {
		sum += w
		longest = max(longest, w)
	}
	// Tests that run in parallel inside of a process take less than the sum of their times.
	wall := min(sum.Seconds(), p.known.WallSeconds*sum.Seconds()/max(p.known.TestSeconds, 0.001))
	n := min(float64(len(keys)), float64(perCore*cores))
	n = min(n, math.Ceil(sum.Seconds()/max(longest.Seconds(), 0.001)))
	n = min(n, wall/(startUps*max(p.startUp.Seconds(), 0.001)))
	if busy := p.known.CPUSeconds / p.known.WallSeconds; busy > 0 { // cores that one process uses
		n = min(n, math.Ceil(float64(cores)/busy-0.25))
	}
	return max(1, int(n))
}
