package plan_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/plan"
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
		want   plan.Workers
	}{
		"nothing recorded": {nil, 0, plan.Workers{2, "one for each core"}},
		"not measured":     {shards(40, 10, 0), 0, plan.Workers{2, "one for each core"}},
		"few measured":     {append(shards(9, 10, 0.1), shards(10, 10, 0)...), 0, plan.Workers{2, "one for each core"}},
		"computing":        {shards(40, 10, 9.9), 0, plan.Workers{2, "one for each core"}},
		"on more cores":    {shards(40, 10, 20), 0, plan.Workers{2, "one for each core"}},
		"a little idle":    {shards(40, 10, 7), 0, plan.Workers{2, "one for each core"}},
		"half idle": {shards(40, 10, 4.9), 0,
			plan.Workers{4, "in their last runs the shards computed 50 % of their time, on 2 cores"}},
		"waiting": {shards(50, 4, 0.2), 8 * gigabyte,
			plan.Workers{26, "in their last runs the shards computed 7 % of their time, on 2 cores"}},
		"mixed": {append(shards(10, 10, 9.9), shards(10, 10, 0)...), 0, plan.Workers{2, "one for each core"}},
		"mixed, half of each": {append(shards(10, 10, 9.9), shards(10, 10, 0.1)...), 0,
			plan.Workers{3, "in their last runs the shards computed 51 % of their time, on 2 cores"}},
		"no more than shards": {shards(8, 4, 0.2), 0,
			plan.Workers{8, "in their last runs the shards computed 8 % of their time, on 2 cores; 8 shards in all"}},
		"no more than memory": {shards(50, 4, 0.2), gigabyte,
			plan.Workers{4, "in their last runs the shards computed 7 % of their time, on 2 cores; 256 MiB of memory for each"}},
		"no more than a core bears": {shards(50, 60, 0.2), 0,
			plan.Workers{32, "in their last runs the shards computed 0 % of their time, on 2 cores; 16 for each core at most"}},
		"little memory, nothing recorded": {nil, 300 << 20, plan.Workers{1, "256 MiB of memory for each"}},
		"little memory, waiting":          {shards(50, 4, 0.2), 300 << 20, plan.Workers{1, "256 MiB of memory for each"}},
		"hardly any memory":               {nil, 1 << 20, plan.Workers{1, "256 MiB of memory for each"}},
		"shards that only start":          {shards(50, 0.3, 0), 0, plan.Workers{2, "one for each core"}},
	} {
		if got := plan.AutoWorkers(c.shards, 2, c.memory); got != c.want {
			t.Errorf("%s: AutoWorkers = %+v, want %+v", name, got, c.want)
		}
	}
}

func TestParseWorkers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"auto": 0, "logical": 0, "0": 1, "1": 1, "7": 7} {
		if got, err := plan.ParseWorkers(text); got != want || err != nil {
			t.Errorf("ParseWorkers(%s) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "x", "1.5"} {
		_, err := plan.ParseWorkers(text)
		if want := "-n " + text + ": want a number from 0, auto or logical"; err == nil || err.Error() != want {
			t.Errorf("ParseWorkers(%q) = %v, want %s", text, err, want)
		}
	}
}

// The flags of Bazel that bring more workers than cores are three, and none changes a cache key.
func TestBazelFlags(t *testing.T) {
	t.Parallel()
	cores := plan.Cores()
	for count, want := range map[int][]string{
		cores: {fmt.Sprintf("--local_test_jobs=%d", cores)},
		cores + 1: {fmt.Sprintf("--jobs=%d", cores+1), fmt.Sprintf("--local_resources=cpu=%d", cores+1),
			fmt.Sprintf("--local_test_jobs=%d", cores+1)},
	} {
		if got := (plan.Workers{Count: count}).BazelFlags(); !slices.Equal(got, want) {
			t.Errorf("BazelFlags() of %d workers on %d cores = %q, want %q", count, cores, got, want)
		}
	}
}
