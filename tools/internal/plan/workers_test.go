package main

// Not an external package: the command has no other door to the choice of workers than a real machine's load.

import (
	"slices"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/history"
)

// shards makes count recorded shards that took some seconds, and computed for some of them.
func shards(count int, seconds, cpu float64) []history.Shard {
	return slices.Repeat([]history.Shard{{Label: "//x:x_test", Seconds: seconds, CPUSeconds: cpu}}, count)
}

func TestAutoWorkers(t *testing.T) {
	t.Parallel()
	const gigabyte = 1 << 30
	for name, c := range map[string]struct {
		shards []history.Shard
		memory int64
		want   workers
	}{
		"nothing recorded": {nil, 0, workers{2, "one for each core"}},
		"not measured":     {shards(40, 10, 0), 0, workers{2, "one for each core"}},
		"few measured":     {append(shards(9, 10, 0.1), shards(10, 10, 0)...), 0, workers{2, "one for each core"}},
		"computing":        {shards(40, 10, 9.9), 0, workers{2, "one for each core"}},
		"on more cores":    {shards(40, 10, 20), 0, workers{2, "one for each core"}},
		"a little idle":    {shards(40, 10, 7), 0, workers{2, "one for each core"}},
		"half idle": {shards(40, 10, 4.9), 0,
			workers{4, "in their last runs the shards computed 50 % of their time, on 2 cores"}},
		"waiting": {shards(50, 4, 0.2), 8 * gigabyte,
			workers{26, "in their last runs the shards computed 7 % of their time, on 2 cores"}},
		"mixed": {append(shards(10, 10, 9.9), shards(10, 10, 0)...), 0, workers{2, "one for each core"}},
		"mixed, half of each": {append(shards(10, 10, 9.9), shards(10, 10, 0.1)...), 0,
			workers{3, "in their last runs the shards computed 51 % of their time, on 2 cores"}},
		"no more than shards": {shards(8, 4, 0.2), 0,
			workers{8, "in their last runs the shards computed 8 % of their time, on 2 cores; 8 shards in all"}},
		"no more than memory": {shards(50, 4, 0.2), gigabyte,
			workers{4, "in their last runs the shards computed 7 % of their time, on 2 cores; 256 MiB of memory for each"}},
		"no more than a core bears": {shards(50, 60, 0.2), 0,
			workers{32, "in their last runs the shards computed 0 % of their time, on 2 cores; 16 for each core at most"}},
		"shards that only start": {shards(50, 0.3, 0), 0, workers{2, "one for each core"}},
	} {
		if got := autoWorkers(c.shards, 2, c.memory); got != c.want {
			t.Errorf("%s: autoWorkers = %+v, want %+v", name, got, c.want)
		}
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, label string
		want           bool
	}{
		{"//...", "//a/b:t", true}, {"//a/...", "//a:t", true}, {"//a/...", "//a/b:t", true}, {"//a/...", "//ab:t", false},
		{"//a:all", "//a:t", true}, {"//a:all", "//a/b:t", false}, {"//a:t", "//a:t", true}, {"//a:t", "//a:u", false},
		{"//a/t", "//a/t:t", true}, {"//a/t", "@@//a/t:t", true}, {"//a/t", "//a:t", false},
	} {
		if got := covers(c.pattern, c.label); got != c.want {
			t.Errorf("covers(%s, %s) = %v, want %v", c.pattern, c.label, got, c.want)
		}
	}
}

func TestAvailableMemory(t *testing.T) {
	t.Parallel()
	if got := availableMemory(); got < 0 || got > 1<<50 {
		t.Errorf("availableMemory = %d, want bytes, or 0 where the system does not say", got)
	}
}
