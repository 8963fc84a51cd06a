package spawns

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/renameio/v2"
	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/lockedfile"
)

// maxActions is how many actions are kept; of more, those that were executed longest ago go.
const maxActions = 20_000

// Run is a run of the command: its ID in the history, and when it began.
type Run struct {
	ID    string    `json:"id"`
	Start time.Time `json:"start"`
}

// Kept is an execution, and its run.
type Kept struct {
	Execution
	Run Run `json:"run"`
}

// Action is one action's last execution, and the one in the run before that executed it; Before may be nil.
type Action struct {
	Last   *Kept `json:"last"`
	Before *Kept `json:"before,omitempty"`
}

// Store keeps executions in a directory, which is the history of a workspace. Its methods may be called by several
// processes at once.
type Store struct{ dir string }

// In gives the store in a directory, which need not exist.
func In(dir string) *Store { return &Store{dir} }

func (s *Store) file() string { return filepath.Join(s.dir, "executions.json.zst") }

// Keep takes in the log of one call of Bazel. variant tells calls apart that are not to be compared with each other, such
// as those with several versions of PostgreSQL; it may be "". A log without an execution, as where all results were cached,
// costs nothing.
//
// Errors: the log is damaged; files cannot be read or written.
func (s *Store) Keep(log, variant string, run Run) error {
	f, err := os.Open(log)
	if err != nil {
		return err
	}
	defer f.Close()
	read := map[string]*Kept{}
	err = Read(f, func(e *Execution) { read[variant+" "+e.key] = &Kept{*e, run} })
	if err != nil {
		return fmt.Errorf("read %s: %w", log, err)
	}
	if len(read) == 0 {
		return nil
	}
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return err
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(s.dir, "executions.lock")).Lock()
	if err != nil {
		return err
	}
	defer unlock()
	all, err := s.load()
	if err != nil {
		all = map[string]*Action{} // damaged: begin anew
	}
	for key, e := range read {
		if action := all[key]; action == nil {
			all[key] = &Action{Last: e}
		} else if action.Last.Run.ID == run.ID {
			action.Last = e
		} else {
			action.Last, action.Before = e, action.Last
		}
	}
	prune(all)
	return s.write(all)
}

func prune(all map[string]*Action) {
	if len(all) <= maxActions {
		return
	}
	keys := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return all[b].Last.Run.Start.Compare(all[a].Last.Run.Start) })
	for _, key := range keys[maxActions:] {
		delete(all, key)
	}
}

// Actions gives all that is kept, by label; none where nothing is kept yet.
func (s *Store) Actions() ([]*Action, error) {
	all, err := s.load()
	if err != nil {
		return nil, err
	}
	actions := make([]*Action, 0, len(all))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		actions = append(actions, all[key])
	}
	slices.SortStableFunc(actions, func(a, b *Action) int { return cmp.Compare(a.Last.Label, b.Last.Label) })
	return actions, nil
}

func (s *Store) load() (map[string]*Action, error) {
	all := map[string]*Action{}
	packed, err := os.ReadFile(s.file())
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	z, err := zstd.NewReader(nil)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	text, err := z.DecodeAll(packed, nil)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w: remove it", s.file(), err)
	}
	return all, nil
}

// write replaces the file in one step. It is the user's alone, since arguments and variables are in it.
func (s *Store) write(all map[string]*Action) error {
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		return err
	}
	defer z.Close()
	return renameio.WriteFile(s.file(), z.EncodeAll(text, nil), 0o600)
}
