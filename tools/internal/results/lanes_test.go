package results_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/results"
)

// Two suites of two shards each on two workers: a worker runs shards of both.
func TestLanes(t *testing.T) {
	t.Parallel()
	shard := func(label string, start, end int) *results.Shard {
		return &results.Shard{Label: label, Start: time.Unix(int64(start), 0), Duration: time.Duration(end-start) * time.Second}
	}
	cached := shard("cached", 1, 2)
	cached.Cached = true
	lanes := results.Lanes([]*results.Shard{
		shard("b1", 13, 20), shard("a1", 10, 13), shard("a2", 10, 15), shard("b2", 16, 18), cached, {Label: "unknown"},
	})
	var got [][]string
	for _, lane := range lanes {
		var labels []string
		for _, s := range lane {
			labels = append(labels, s.Label)
		}
		got = append(got, labels)
	}
	if diff := cmp.Diff([][]string{{"a1", "b1"}, {"a2", "b2"}}, got); diff != "" {
		t.Errorf("Lanes differ (-want +got):\n%s", diff)
	}
}
