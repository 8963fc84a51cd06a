// Package history keeps what the runs of a workspace's tests took, outside of the tree, in the user's cache directory.
//
// Goals: estimates (how long a shard takes, which suites mostly wait), the tests that failed last, a report's line of
// past runs; safe with several runs at once; nothing lost but history when the directory is removed. Non-goals:
// recorded
// times that are part of the tree and of cache keys; results of other machines.
//
// In <cache>/pgcell/history/<workspace>/ lie
//
//	runs/<time>-<pid>.json  one run each, the newest KeptRuns of them
//	shards.json             the last execution of each shard
//	failed.json             the tests that failed at their last execution
//	logs/                   what failed shards wrote, see LogDir
//	lock                    held while one run is written
package history

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/renameio/v2"
	"github.com/rogpeppe/go-internal/lockedfile"
)

// KeptRuns is how many runs of a workspace are kept.
const KeptRuns = 50

// Run is one run of tests. Times are UTC.
type Run struct {
	ID        string    `json:"id"` // names its file; set by Save
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"`
	Workspace string    `json:"workspace"` // absolute path
	Args      []string  `json:"args"`      // of "pgcell run"
	Workers   int       `json:"workers"`   // shards that could run at once; 0 when Bazel chose
	ExitCode  int       `json:"exit_code"` // of "pgcell run"
	Passed    int       `json:"passed"`    // top-level tests, as in the closing line
	Failed    int       `json:"failed"`
	Skipped   int       `json:"skipped"`
	Postgres  string    `json:"postgres,omitempty"` // --postgres, where labels name none
	Shards    []Shard   `json:"shards"`
}

// Shard is one attempt of one shard of a test target.
type Shard struct {
	Label   string    `json:"label"`
	Shard   int       `json:"shard"`  // from 0
	Shards  int       `json:"shards"` // 1 when the target is not sharded
	Run     int       `json:"run"`    // from 1; above 1 with --stress alone
	Attempt int       `json:"attempt"`
	Status  string    `json:"status"` // Bazel's word: PASSED, FAILED, ...
	Cached  bool      `json:"cached"` // nothing was executed: start, end and seconds are those of the execution that was kept
	Start   time.Time `json:"start"`  // zero when unknown
	End     time.Time `json:"end"`
	Seconds float64   `json:"seconds"`

	// CPUSeconds is the processor time of the shard's processes, as if they had the machine alone; 0 when not measured.
	CPUSeconds float64 `json:"cpu_seconds,omitempty"`
	// Filter is the name filter that was in force; such a shard ran a part of its tests and serves no estimate.
	Filter string `json:"filter,omitempty"`
	Tests  []Test `json:"tests,omitempty"`
}

// Test is one top-level test or subtest.
type Test struct {
	Name        string  `json:"name"` // empty for a test that is no Go test
	Outcome     string  `json:"outcome"`
	Seconds     float64 `json:"seconds"`
	CellSeconds float64 `json:"cell_seconds,omitempty"` // spent in getting cells; 0 when it used none
	WaitSeconds float64 `json:"wait_seconds,omitempty"` // spent in waiting for its turn
}

// Outcomes of a Test.
const (
	Passed  = "passed"
	Failed  = "failed"
	Skipped = "skipped"
)

// Store is the history of one workspace. Its methods may be called by several processes at once.
type Store struct{ dir string }

// CacheDir gives the user's cache directory: XDG_CACHE_HOME, else what the system has. getenv reads the environment.
func CacheDir(getenv func(string) string) (string, error) {
	if dir := getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		if _, err := os.Stat(filepath.Join(home, "Library", "Caches")); err == nil {
			return filepath.Join(home, "Library", "Caches"), nil
		}
		return filepath.Join(home, ".cache"), nil
	}
	return "", errors.New("find the user's cache directory: set XDG_CACHE_HOME or HOME to an absolute path")
}

// Open gives the history of a workspace below a cache directory. It reads and writes nothing yet, so it cannot fail.
func Open(cacheDir, workspace string) *Store {
	name := strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z') {
			return r
		}
		return '_'
	}, filepath.Base(workspace))
	sum := sha256.Sum256([]byte(workspace))
	return &Store{dir: filepath.Join(cacheDir, "pgcell", "history", fmt.Sprintf("%s-%x", name, sum[:4]))}
}

// At gives the history that lies in a directory, one of those below <cache>/pgcell/history.
func At(dir string) *Store { return &Store{dir: dir} }

// Dir is where the history lies; it need not exist.
func (s *Store) Dir() string { return s.dir }

// LogDir is where the log and the outputs of a failed shard are kept if a run with another PostgreSQL follows.
func (s *Store) LogDir(version, shard string) string {
	return filepath.Join(s.dir, "logs", fileName(version), fileName(shard))
}

// fileName makes a file's name of a text.
func fileName(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '_'
	}, text)
}

// Save adds a run and sets its ID. On an error nothing or a part was written, and what was there before stays valid.
func (s *Store) Save(run *Run) error {
	if err := os.MkdirAll(filepath.Join(s.dir, "runs"), 0o777); err != nil {
		return fmt.Errorf("keep the run's history: %w", err)
	}
	// Other runs that are being written hold the lock for milliseconds.
	unlock, err := lockedfile.MutexAt(filepath.Join(s.dir, "lock")).Lock()
	if err != nil {
		return fmt.Errorf("keep the run's history: %w", err)
	}
	defer unlock()
	run.ID = ID(run.Start)
	if err := writeJSON(s.runFile(run.ID), run); err != nil {
		return fmt.Errorf("keep the run's history: %w", err)
	}
	if err := errors.Join(s.updateTimes(run), s.updateFailed(run)); err != nil {
		return fmt.Errorf("keep the run's history: %w", err)
	}
	s.prune()
	return nil
}

// ID is the ID of this process's run that began at a time. IDs sort by time, and then by process.
func ID(start time.Time) string {
	return fmt.Sprintf("%s-%07d", start.UTC().Format("20060102T150405.000000"), os.Getpid())
}

func (s *Store) runFile(id string) string { return filepath.Join(s.dir, "runs", id+".json") }

// ids gives the kept runs, oldest first.
func (s *Store) ids() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, "runs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	var ids []string
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), ".json"); ok {
			ids = append(ids, id)
		}
	}
	return ids, nil // ReadDir sorts, and the time comes first
}

func (s *Store) prune() {
	ids, _ := s.ids()
	for len(ids) > KeptRuns {
		_ = os.Remove(s.runFile(ids[0])) // the next run tries again
		ids = ids[1:]
	}
}

// Runs gives the newest n runs, newest first. A file that cannot be read as a run is passed over. Without any history
// the result is empty.
func (s *Store) Runs(n int) ([]*Run, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, err
	}
	var runs []*Run
	for _, id := range slices.Backward(ids) {
		if len(runs) == n {
			break
		}
		var run Run
		if readJSON(s.runFile(id), &run) == nil {
			runs = append(runs, &run)
		}
	}
	return runs, nil
}

// writeJSON replaces a file in one step.
func writeJSON(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, append(b, '\n'), 0o600) // arguments may say what is the user's alone
}

func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}
