package results

import (
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/gotest"
)

// Outcome is what became of a test.
type Outcome int

// The outcomes of a test that was at least started.
const (
	Passed Outcome = iota
	Failed         // also: ended by a panic, a time-out or a signal while it ran
	Skipped
	Running     // has no result yet
	Interrupted // was running when the run was stopped, or failed after that
)

// String gives the outcome in capitals, as it stands before a test's name.
func (o Outcome) String() string {
	switch o {
	case Passed:
		return "PASSED"
	case Skipped:
		return "SKIPPED"
	case Running:
		return "RUNNING"
	case Interrupted:
		return "STOPPED"
	default:
		return "FAILED"
	}
}

// Test is a test function, or a subtest of one.
type Test struct {
	// Name is Go's: "TestA" or, for a subtest, "TestA/b". It is empty where a test target has no
	// tests inside that it tells of, as with a shell script.
	Name     string
	Outcome  Outcome
	Duration time.Duration // 0 when unknown
	CellTime time.Duration // part of Duration: spent in getting cells, subtests' included
	WaitTime time.Duration // part of Duration: spent in waiting for its turn, subtests' included
	Output   string        // what a failed or skipped test printed, without its subtests' part
	Subtests []Test        // of every depth, in the file's order; set on top-level tests alone
}

// SkipReason is the last line that a skipped test printed; "" for any other test.
func (t *Test) SkipReason() string {
	if t.Outcome != Skipped {
		return ""
	}
	lines := strings.Split(gotest.Clean(t.Output), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// Key identifies a test of a run, or a shard if Name is empty.
type Key struct {
	Label, Name string
	Run, Shard  int // from 1, from 0
}

// Key gives the key of one of the shard's tests, or the shard's own if name is empty.
func (s *Shard) Key(name string) Key { return Key{s.Label, name, s.Run, s.Index} }

// Key gives the key of one of the shard's tests, or the shard's own if name is empty.
func (s *LiveShard) Key(name string) Key { return Key{s.Label, name, s.Run, s.Index} }
