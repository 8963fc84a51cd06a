package history

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/label"
)

// TestID names a top-level test. Name is empty for a test target whose tests are not known: it died outside of them, or
// is no Go test.
type TestID struct {
	Label string `json:"label"` // of a run with several versions of PostgreSQL with the version, see package label
	Name  string `json:"name"`
}

// failedFile is failed.json.
type failedFile struct {
	Failed []TestID `json:"failed"`
}

// LastFailed gives the tests that failed when they last ran, in whatever run, sorted. The error is one of reading.
func (s *Store) LastFailed() ([]TestID, error) {
	var file failedFile
	err := readJSON(filepath.Join(s.dir, "failed.json"), &file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return file.Failed, nil
}

// updateFailed takes a run's outcomes in: what passed is out, what failed is in, and what did not run stays. A
// target all of whose shards have passed is out as a whole, with tests that were removed or renamed. A run with one
// PostgreSQL counts for all versions.
func (s *Store) updateFailed(run *Run) error {
	last, err := s.LastFailed()
	if err != nil {
		last = nil // damaged: begin anew
	}
	failed := make(map[TestID]bool)
	for _, id := range last {
		failed[id] = true
	}
	again := make(map[TestID]bool)
	seen := make(map[string]map[int]bool) // label → shards that passed
	for _, shard := range run.Shards {
		if !shard.complete() && shard.Status != "TIMEOUT" {
			continue
		}
		shard.outcomes(failed, again)
		if shard.Filter == "" && (shard.Status == "PASSED" || shard.Status == "FLAKY") {
			if seen[shard.Label] == nil {
				seen[shard.Label] = make(map[int]bool)
			}
			if seen[shard.Label][shard.Shard] = true; len(seen[shard.Label]) == shard.Shards {
				maps.DeleteFunc(failed, func(id TestID, _ bool) bool { return label.Same(id.Label, shard.Label) })
			}
		}
	}
	maps.Copy(failed, again) // of several runs of a test, one that failed is enough
	ids := slices.SortedFunc(maps.Keys(failed), func(a, b TestID) int {
		return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Name, b.Name))
	})
	return writeJSON(filepath.Join(s.dir, "failed.json"), failedFile{ids})
}

// outcomes takes the outcomes of one shard in: what passed goes out of failed, what failed into again.
func (s *Shard) outcomes(failed, again map[TestID]bool) {
	found := false
	for _, t := range s.Tests {
		if strings.Contains(t.Name, "/") {
			continue
		}
		id := TestID{s.Label, t.Name}
		maps.DeleteFunc(failed, func(other TestID, _ bool) bool {
			return other.Name == t.Name && label.Same(other.Label, s.Label)
		})
		if t.Outcome == Failed {
			again[id], found = true, true
		}
	}
	if passed := s.Status == "PASSED" || s.Status == "FLAKY"; !passed && !found {
		again[TestID{s.Label, ""}] = true
	}
}
