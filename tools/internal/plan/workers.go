package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/history"
)

// workers says how many shards run at once, and why that many were chosen.
type workers struct {
	count int
	why   string // for the summary; empty where the user said the number
}

// chooseWorkers turns -n into a number. shards are the recorded executions of what is to run; none may be known.
func (o *options) chooseWorkers(shards []history.Shard) workers {
	switch {
	case o.inSeries():
		return workers{count: 1}
	case o.fixedCount > 0:
		return workers{count: o.fixedCount}
	case o.numprocesses == "logical":
		return workers{runtime.NumCPU(), "one for each logical CPU"}
	}
	return autoWorkers(shards, cores(), availableMemory())
}

// What bounds -n auto. A worker is a test process with a server, its data in memory.
const (
	workersPerCore  = 16
	memoryPerWorker = 256 << 20
	// startCPU is what Bazel spends on the start of a shard: its sandbox, rules_go's wrapper.
	startCPU = 0.1
	// tooShort are shards that end before they are measured, in seconds; they do little but start.
	tooShort = 0.5
)

// autoWorkers is -n auto: as many as keep the cores busy, by the share of their time that shards have computed in their
// last executions. Shards that compute all the time get one for each core, and so do those that were not measured.
// memory is what is available, in bytes; 0 when unknown.
func autoWorkers(shards []history.Shard, cores int, memory int64) workers {
	var cpu, seconds float64
	measured := 0
	for _, s := range shards {
		switch {
		case s.CPUSeconds > 0 && s.Seconds > 0:
			cpu, seconds, measured = cpu+s.CPUSeconds+startCPU, seconds+s.Seconds, measured+1
		case s.Seconds < tooShort:
			cpu, seconds, measured = cpu+s.Seconds, seconds+s.Seconds, measured+1
		}
	}
	if cpu == 0 || 2*measured < len(shards) {
		return workers{cores, "one for each core"}
	}
	wanted := int(float64(cores) * seconds / cpu)
	count, bound := wanted, ""
	limit := func(n int, why string) {
		if n < count {
			count, bound = n, why
		}
	}
	limit(len(shards), fmt.Sprintf("%d shards in all", len(shards)))
	limit(workersPerCore*cores, fmt.Sprintf("%d for each core at most", workersPerCore))
	if memory > 0 {
		limit(int(memory/memoryPerWorker), fmt.Sprintf("%d MiB of memory for each", memoryPerWorker>>20))
	}
	if count <= cores {
		return workers{cores, "one for each core"}
	}
	why := fmt.Sprintf("in their last runs the shards computed %.0f %% of their time, on %d cores", 100*cpu/seconds, cores)
	if bound != "" {
		why += "; " + bound
	}
	return workers{count, why}
}

// availableMemory is what Linux thinks can be used without swapping, in bytes; 0 where it does not say.
func availableMemory() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		var kilobytes int64
		if n, _ := fmt.Sscanf(line, "MemAvailable: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10
		}
	}
	return 0
}

// recorded gives the recorded executions of targets that a plan's patterns name.
func recorded(times *history.Times, plan []invocation) []history.Shard {
	var shards []history.Shard
	for _, s := range times.All() {
		if slices.ContainsFunc(plan, func(inv invocation) bool {
			return slices.ContainsFunc(inv.patterns, func(pattern string) bool { return covers(pattern, s.Label) })
		}) {
			shards = append(shards, s)
		}
	}
	return shards
}

// covers reports whether a target pattern names a label: "//a/...", "//a:all", "//a:t" or "//a".
func covers(pattern, label string) bool {
	label = strings.TrimPrefix(label, "@@")
	pkg, _, _ := strings.Cut(label, ":")
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return below == "/" || pkg == below || strings.HasPrefix(pkg, below+"/")
	}
	if all, ok := strings.CutSuffix(pattern, ":all"); ok {
		return pkg == all
	}
	if !strings.Contains(pattern, ":") {
		pattern += ":" + pattern[strings.LastIndexByte(pattern, '/')+1:]
	}
	return pattern == label
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
