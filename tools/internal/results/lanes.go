package results

import (
	"slices"
	"time"
)

// Lanes divides the shards that were executed among workers, by when they began and ended: each shard goes to the first
// worker that was free. Bazel does not say which one it was. Cached shards, and those of which no start is known, are in
// none.
func Lanes(shards []*Shard) [][]*Shard {
	ran := slices.DeleteFunc(slices.Clone(shards), func(s *Shard) bool { return s.Cached || s.Start.IsZero() })
	slices.SortStableFunc(ran, func(a, b *Shard) int { return a.Start.Compare(b.Start) })
	var lanes [][]*Shard
	var free []time.Time
	for _, s := range ran {
		i := slices.IndexFunc(free, func(at time.Time) bool { return !at.After(s.Start) })
		if i < 0 {
			i = len(free)
			free, lanes = append(free, time.Time{}), append(lanes, nil)
		}
		free[i] = s.End()
		lanes[i] = append(lanes[i], s)
	}
	return lanes
}
