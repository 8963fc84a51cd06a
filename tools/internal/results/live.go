package results

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/label"
)

// LiveEvent says that a top-level test began or ended.
type LiveEvent struct {
	Shard *LiveShard
	Test  *Test // its Outcome is Running when it began
}

// LiveShard is a shard that may be running. Its fields are those of Shard.
type LiveShard struct {
	Label      string
	Config     string
	Run, Index int // from 1, from 0
	Total      int
	Log        string // once the shard has started
	Outputs    string // where what the tests leave will be kept; empty for where Bazel puts it
	parser     logParser
	file       *os.File
}

// Shard gives the shard as far as it is known.
func (s *LiveShard) Shard() *Shard {
	return &Shard{
		Label: s.Label, Config: s.Config, Run: s.Run, Index: s.Index, Total: s.Total, Log: s.Log, Outputs: s.Outputs,
	}
}

// Tests gives what is known of the shard's top-level tests, in the order in which they began.
func (s *LiveShard) Tests() []Test { return s.parser.all() }

// Live follows the logs of tests that run on this machine, which Bazel writes while they run. What it cannot find, as
// with tests that run elsewhere, it is silent about. It is not safe for concurrent use.
type Live struct {
	root   string // Bazel's execution root
	since  time.Time
	shards map[liveKey]*LiveShard
	logs   []string // Bazel's directories of logs, one for each configuration
}

type liveKey struct {
	label      string
	run, index int
}

// NewLive follows tests below an execution root. A log that is older than since is one of an earlier run.
func NewLive(root string, since time.Time) *Live {
	return &Live{root: root, since: since, shards: make(map[liveKey]*LiveShard)}
}

// Add has a test target followed; runs is 1 without --runs_per_test.
func (l *Live) Add(target *bazel.Target, runs int) {
	shards, runs := max(target.Shards, 1), max(runs, 1)
	for run := 1; run <= runs; run++ {
		for index := range shards {
			s := &LiveShard{Label: target.Label, Config: target.Config, Run: run, Index: index, Total: shards}
			s.Log = s.path(runs)
			l.shards[liveKey{target.Label, run, index}] = s
		}
	}
}

// path gives a shard's log below a directory of logs: PACKAGE/NAME/shard_I_of_N_run_R_of_M/test.log.
func (s *LiveShard) path(runs int) string {
	repo, rest, _ := strings.Cut(strings.TrimLeft(label.Bare(s.Label), "@"), "//")
	pkg, name, _ := strings.Cut(rest, ":")
	if repo != "" {
		pkg = filepath.Join("external", repo, pkg)
	}
	var parts []string
	if s.Total > 1 {
		parts = append(parts, fmt.Sprintf("shard_%d_of_%d", s.Index+1, s.Total))
	}
	if runs > 1 {
		parts = append(parts, fmt.Sprintf("run_%d_of_%d", s.Run, runs))
	}
	return filepath.Join(filepath.FromSlash(pkg), name, strings.Join(parts, "_"), "test.log")
}

// Done ends the following of a shard that has a result.
func (l *Live) Done(target string, run, index int) {
	key := liveKey{target, run, index}
	if s := l.shards[key]; s != nil {
		s.close()
		delete(l.shards, key)
	}
}

// Close ends the following of all shards; Started still tells what is known of them.
func (l *Live) Close() {
	for _, s := range l.shards {
		s.close()
	}
}

func (s *LiveShard) close() {
	if s.file != nil {
		s.file.Close()
		s.file = nil
	}
}

// Started gives the followed shards of which something is known, sorted.
func (l *Live) Started() []*LiveShard {
	var started []*LiveShard
	for _, s := range l.shards {
		if len(s.parser.order) > 0 || s.file != nil {
			started = append(started, s)
		}
	}
	slices.SortFunc(started, func(a, b *LiveShard) int {
		return cmp.Or(strings.Compare(a.Label, b.Label), cmp.Compare(a.Run, b.Run), cmp.Compare(a.Index, b.Index))
	})
	return started
}

// Poll reads what was added to the logs and calls handle for each test that began or ended.
func (l *Live) Poll(handle func(LiveEvent)) {
	l.logs, _ = filepath.Glob(filepath.Join(l.root, "bazel-out", "*", "testlogs")) // a malformed pattern finds nothing
	for _, s := range l.shards {
		if s.file == nil && !l.open(s) {
			continue
		}
		b, err := io.ReadAll(s.file)
		if err != nil {
			continue
		}
		s.parser.write(b, func(t *Test) { handle(LiveEvent{s, t}) })
	}
}

// open looks for a shard's log of this run.
func (l *Live) open(s *LiveShard) bool {
	for _, dir := range l.logs {
		path := filepath.Join(dir, s.Log)
		info, err := os.Stat(path)
		if err != nil || info.ModTime().Before(l.since) {
			continue
		}
		if s.file, err = os.Open(path); err == nil {
			s.Log = path
			return true
		}
	}
	return false
}
