// Package plan decides how tests are spread: over workers, shards and machines, by the times of earlier runs.
//
// It reads what tests took in Bazel's last run of them, keeps recorded times in the tree, and says how well shards are
// balanced by these. Goals: results that are there are enough, fresh or cached; no call of Bazel. Non-goals: the shard
// plan itself and the format of recorded times, which are of package shard, for test binaries need them.
package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/results"
	"github.com/pgcell/pgcell/tools/internal/shard"
)

// Suite is the last result of a test target.
type Suite struct {
	Package string // "tests/integration/ddl"; empty for the root
	Target  string // "ddl_test"
	Shards  int    // shards that it ran in, 1 or more
	Missing []int  // those of them without a result that can be read, from 1

	// Passed holds what top-level tests took that passed, without the start of their process's server. Of several runs
	// (--runs_per_test), the longest counts.
	Passed map[string]time.Duration
}

// Label gives the suite's label in its own workspace.
func (s *Suite) Label() string { return "//" + s.Package + ":" + s.Target }

// Read reads all results below a directory, Bazel's bazel-testlogs, in the order of labels. Where a target has run in
// different numbers of shards, the newest result counts. A directory that is not there is an error; one without
// results is none.
func Read(testlogs string) ([]*Suite, error) {
	root, err := filepath.EvalSymlinks(testlogs)
	if err != nil {
		return nil, fmt.Errorf("read the last results: %w", err)
	}
	found := map[string]map[int][]result{} // by target and number of shards
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "test.xml" {
			return err
		}
		return add(found, root, file)
	})
	if err != nil {
		return nil, fmt.Errorf("read the last results: %w", err)
	}
	var suites []*Suite
	for target, byShards := range found {
		suites = append(suites, newest(target, byShards))
	}
	slices.SortFunc(suites, func(a, b *Suite) int { return strings.Compare(a.Label(), b.Label()) })
	return suites, nil
}

// result is one test.xml.
type result struct {
	file    string
	shard   int // from 1
	written time.Time
}

var attempt = regexp.MustCompile(`^(?:shard_(\d+)_of_(\d+))?_?(?:run_\d+_of_\d+)?$`)

func add(found map[string]map[int][]result, root, file string) error {
	info, err := os.Stat(file)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a link to an output that has been deleted
		}
		return err
	}
	dir, err := filepath.Rel(root, filepath.Dir(file))
	if err != nil {
		return err
	}
	target, shards := filepath.ToSlash(dir), 1
	r := result{file: file, shard: 1, written: info.ModTime()}
	if m := attempt.FindStringSubmatch(path.Base(target)); m != nil {
		target = path.Dir(target)
		if m[1] != "" {
			r.shard, _ = strconv.Atoi(m[1]) // digits
			shards, _ = strconv.Atoi(m[2])
		}
	}
	if found[target] == nil {
		found[target] = map[int][]result{}
	}
	found[target][shards] = append(found[target][shards], r)
	return nil
}

// newest reads that one of a target's results which was written last.
func newest(target string, byShards map[int][]result) *Suite {
	s := &Suite{Package: path.Dir(target), Target: path.Base(target), Passed: map[string]time.Duration{}}
	if s.Package == "." {
		s.Package = ""
	}
	var last time.Time
	for shards, found := range byShards {
		for _, r := range found {
			if r.written.After(last) || r.written.Equal(last) && shards > s.Shards {
				last, s.Shards = r.written, shards
			}
		}
	}
	for shard := 1; shard <= s.Shards; shard++ {
		whole := false
		for _, r := range byShards[s.Shards] {
			if r.shard == shard {
				whole = s.read(r.file) || whole
			}
		}
		if !whole {
			s.Missing = append(s.Missing, shard)
		}
	}
	return s
}

// read takes in the tests of one file, and reports whether it is whole.
func (s *Suite) read(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	tests, err := results.ReadJUnit(f)
	if err != nil {
		return false
	}
	_, cells := results.CellsIn(filepath.Join(filepath.Dir(file), "test.outputs"))
	for _, test := range tests {
		switch {
		case !isTest(test.Name):
			// Bazel's own entry, for a test that writes no XML.
		case test.Outcome == results.Passed:
			s.Passed[test.Name] = max(s.Passed[test.Name], test.Duration-serverTime(test.Name, cells))
		}
	}
	return true
}

// serverTime is how long a test, or a subtest of it, waited for the template and the server of its process. It is no
// time of the test's own: with other shards, another test is the first one to need them.
func serverTime(test string, cells []results.Cell) (longest time.Duration) {
	for _, c := range cells {
		if c.Test == test || strings.HasPrefix(c.Test, test+"/") {
			longest = max(longest, time.Duration(c.ServerSeconds*float64(time.Second)))
		}
	}
	return longest
}

// isTest reports whether a name is that of a Go test, and no subtest's.
func isTest(name string) bool { return slices.Equal(shard.Listed(name), []string{name}) }
