package history

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
)

// Times are the last known executions of shards. The zero value knows none.
type Times struct {
	shards map[timesKey]Shard
}

type timesKey struct {
	label         string
	shard, shards int
}

// timesFile is shards.json.
type timesFile struct {
	Shards []Shard `json:"shards"`
}

// Times reads the last execution of each shard. Without any history it knows none; the error is one of reading.
func (s *Store) Times() (*Times, error) {
	var file timesFile
	err := readJSON(filepath.Join(s.dir, "shards.json"), &file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &Times{}, err
	}
	t := &Times{shards: make(map[timesKey]Shard)}
	for _, shard := range file.Shards {
		t.shards[timesKey{shard.Label, shard.Shard, shard.Shards}] = shard
	}
	return t, nil
}

// Shard gives the last execution of shard number shard (from 0) of shards.
func (t *Times) Shard(label string, shard, shards int) (Shard, bool) {
	found, ok := t.shards[timesKey{label, shard, shards}]
	return found, ok
}

// Seconds estimates how long a shard takes: what it took last time, else its target's known time over this
// number of shards, else the mean of all known shards, else 0.
func (t *Times) Seconds(label string, shard, shards int) float64 {
	if s, ok := t.Shard(label, shard, shards); ok {
		return s.Seconds
	}
	var sum, all float64
	count := 0
	for _, s := range t.shards {
		all += s.Seconds
		if s.Label == label {
			sum += s.Seconds / float64(max(shards, 1))
			count++
		}
	}
	switch {
	case count > 0:
		return sum
	case len(t.shards) > 0:
		return all / float64(len(t.shards))
	}
	return 0
}

// All gives all known executions, sorted by label and shard.
func (t *Times) All() []Shard {
	return slices.SortedFunc(maps.Values(t.shards), func(a, b Shard) int {
		return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Shards, b.Shards), cmp.Compare(a.Shard, b.Shard))
	})
}

// updateTimes takes a run's shards in. Of a target that has another number of shards now, the old ones go. A cached
// result is taken where no execution was seen, for instance on a machine that shares a cache.
func (s *Store) updateTimes(run *Run) error {
	times, err := s.Times()
	if err != nil {
		times = &Times{shards: make(map[timesKey]Shard)} // damaged: begin anew
	}
	for _, shard := range run.Shards {
		if shard.Filter != "" || !shard.complete() {
			continue
		}
		for key := range times.shards {
			if key.label == shard.Label && key.shards != shard.Shards {
				delete(times.shards, key)
			}
		}
		key := timesKey{shard.Label, shard.Shard, shard.Shards}
		if _, known := times.shards[key]; known && shard.Cached {
			continue
		}
		times.shards[key] = shard
	}
	return writeJSON(filepath.Join(s.dir, "shards.json"), timesFile{times.All()})
}

// complete reports whether the shard ran to its end, so that its time says something.
func (s *Shard) complete() bool {
	switch s.Status {
	case "PASSED", "FLAKY", "FAILED":
		return true
	}
	return false
}
