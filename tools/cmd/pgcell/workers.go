package main

import (
	"runtime"
	"strconv"

	"github.com/pgcell/pgcell/tools/internal/history"
)

// workers says how many shards run at once, and why that many were chosen.
type workers struct {
	count int
	why   string // for the summary; empty where the user said the number
}

// chooseWorkers turns -n into a number. times are the recorded executions; none may be known.
func (o *options) chooseWorkers(times *history.Times) workers {
	switch {
	case o.inSeries():
		return workers{count: 1}
	case o.fixedCount > 0:
		return workers{count: o.fixedCount}
	case o.numprocesses == "logical":
		return workers{runtime.NumCPU(), "one for each logical CPU"}
	}
	return autoWorkers(times)
}

// autoWorkers is -n auto.
func autoWorkers(*history.Times) workers {
	return workers{cores(), "one for each core"}
}

// cores is how many CPUs this process may use, as Bazel counts them: affinity and the container's quota included.
func cores() int { return runtime.GOMAXPROCS(0) }

// bazelFlags gives the Bazel flags for the number. None of them touches a cache key.
func (w workers) bazelFlags() []string {
	count := strconv.Itoa(w.count)
	if w.count <= cores() {
		return []string{"--local_test_jobs=" + count}
	}
	// Bazel runs the least of the three: its jobs, what its resources allow, its test jobs.
	return []string{"--jobs=" + count, "--local_resources=cpu=" + count, "--local_test_jobs=" + count}
}
