package history

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/pgcell/pgcell/tools/internal/label"
)

// TestID names a top-level test. Name is empty for a test target whose tests are not known: it died outside of them, or
// is no Go test.
type TestID struct {
	Label string `json:"label"` // with the PostgreSQL that --postgres named, see package label
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

// FailedWith gives the tests that failed with one PostgreSQL, a value of --postgres, by the labels that Bazel knows.
func FailedWith(all []TestID, version string) []TestID {
	var failed []TestID
	for _, id := range all {
		if bare, was := label.Cut(id.Label); was == version {
			failed = append(failed, TestID{Label: bare, Name: id.Name})
		}
	}
	return failed
}

// Versions gives the values of --postgres with which tests failed; an empty one for Bazel's choice.
func Versions(all []TestID) []string {
	var versions []string
	for _, id := range all {
		if version := label.Version(id.Label); !slices.Contains(versions, version) {
			versions = append(versions, version)
		}
	}
	return versions
}

// updateFailed takes a run's outcomes in: what passed is out, what failed is in, and what did not run stays. A
// target all of whose shards have passed is out as a whole, with tests that were removed or renamed. What passed with one
// PostgreSQL says nothing of another.
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
		if label.Version(shard.Label) == "" {
			shard.Label = label.Versioned(shard.Label, run.Postgres)
		}
		shard.outcomes(failed, again)
		if shard.Filter == "" && (shard.Status == "PASSED" || shard.Status == "FLAKY") {
			if seen[shard.Label] == nil {
				seen[shard.Label] = make(map[int]bool)
			}
			if seen[shard.Label][shard.Shard] = true; len(seen[shard.Label]) == shard.Shards {
				maps.DeleteFunc(failed, func(id TestID, _ bool) bool { return id.Label == shard.Label })
			}
		}
	}
	maps.Copy(failed, again) // of several runs of a test, one that failed is enough
	ids := slices.SortedFunc(maps.Keys(failed), func(a, b TestID) int {
		return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Name, b.Name))
	})
	return writeJSON(filepath.Join(s.dir, "failed.json"), failedFile{ids})
}

// Forget takes all tests of targets out of those that failed: Bazel knows the targets no more.
func (s *Store) Forget(labels []string) error {
	unlock, err := lockedfile.MutexAt(filepath.Join(s.dir, "lock")).Lock()
	if err != nil {
		return err
	}
	defer unlock()
	failed, err := s.LastFailed()
	if err != nil {
		return err
	}
	failed = slices.DeleteFunc(failed, func(id TestID) bool { return slices.Contains(labels, label.Bare(id.Label)) })
	return writeJSON(filepath.Join(s.dir, "failed.json"), failedFile{failed})
}

// outcomes takes the outcomes of one shard in: what passed goes out of failed, what failed into again.
func (s *Shard) outcomes(failed, again map[TestID]bool) {
	found := false
	for _, t := range s.Tests {
		if strings.Contains(t.Name, "/") {
			continue
		}
		id := TestID{s.Label, t.Name}
		delete(failed, id)
		if t.Outcome == Failed {
			again[id], found = true, true
		}
	}
	if passed := s.Status == "PASSED" || s.Status == "FLAKY"; !passed && !found {
		again[TestID{s.Label, ""}] = true
	}
}
