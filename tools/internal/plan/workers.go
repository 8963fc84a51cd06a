package plan

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/memory"
)

// Workers says how many shards run at once, and why that many were chosen.
type Workers struct {
	Count int
	Why   string // for the summary; empty where the user said the number
}

// Series is one worker: one shard after the other.
var Series = Workers{Count: 1}

// ParseWorkers reads a value of -n: "auto", "logical", or a number from 0. fixed is that number, 1 for 0; it is 0 for
// the words.
func ParseWorkers(text string) (fixed int, err error) {
	if text == "auto" || text == "logical" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, cli.Usage("-n %s: want a number from 0, auto or logical", text)
	}
	return max(n, 1), nil
}

// ChooseWorkers turns a value of -n, which ParseWorkers accepts, into a number. shards are the recorded executions of
// what is to run; none may be known.
func ChooseWorkers(n string, shards []history.Shard) Workers {
	if fixed, _ := ParseWorkers(n); fixed > 0 {
		return Workers{Count: fixed}
	}
	if n == "logical" {
		return Workers{runtime.NumCPU(), "one for each logical CPU"}
	}
	return AutoWorkers(shards, Cores(), memory.Available(os.DirFS("/")))
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

// AutoWorkers is -n auto: as many as keep the cores busy, by the share of their time that shards have computed in their
// last executions. Shards that compute all the time get one for each core, and so do those that were not measured.
// available is the memory that is left, in bytes, on the machine and in its control groups; 0 when unknown. It bounds all.
func AutoWorkers(shards []history.Shard, cores int, available int64) Workers {
	least, forMemory := Workers{cores, "one for each core"}, fmt.Sprintf("%d MiB of memory for each", memoryPerWorker>>20)
	if room := int(available / memoryPerWorker); available > 0 && room < cores {
		least = Workers{max(room, 1), forMemory}
	}
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
		return least
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
	if available > 0 {
		limit(int(available/memoryPerWorker), forMemory)
	}
	if count <= cores {
		return least
	}
	why := fmt.Sprintf("in their last runs the shards computed %.0f %% of their time, on %d cores", 100*cpu/seconds, cores)
	if bound != "" {
		why += "; " + bound
	}
	return Workers{count, why}
}

// Cores is how many CPUs this process may use, as Bazel counts them: by affinity and by the quota of control groups, which
// Go reads.
func Cores() int { return runtime.GOMAXPROCS(0) }

// Oversubscribed reports whether there are more workers than cores.
func (w Workers) Oversubscribed() bool { return w.Count > Cores() }

// BazelFlags gives the Bazel flags for the number. None of them touches a cache key.
func (w Workers) BazelFlags() []string {
	count := strconv.Itoa(w.Count)
	if !w.Oversubscribed() {
		return []string{"--local_test_jobs=" + count}
	}
	// Bazel runs the least of the three: its jobs, what its resources allow, its test jobs.
	return []string{"--jobs=" + count, "--local_resources=cpu=" + count, "--local_test_jobs=" + count}
}
