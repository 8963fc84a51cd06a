// Package screen shows a run: lines of results on standard output and, on a terminal, one line of progress below them.
package screen

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/results"
)

// Bar shows lines on standard output and, on a terminal, one line of progress on standard error below them.
type Bar struct {
	Workers int // shards that can run at once, for the estimate of the time that is left
	Running int // shards that run now

	out, err io.Writer
	known    *history.Times
	width    func() int

	mu     sync.Mutex
	active bool
	shown  bool // the bar is on the screen
	drawn  time.Time
	polled time.Time
	action string // what Bazel says that it does

	pending                 map[results.Key]float64 // shards without a result, with their estimates in seconds
	shards, done, cached    int
	passed, failed, skipped int
	lastResult              time.Time
	seen                    map[results.Key]bool // tests that were counted live
}

// Options say what is shown.
type Options struct {
	Verbose      bool   // each test's name and result
	Quiet        bool   // failures and the closing line alone
	Output       bool   // what the tests print
	Color        string // auto, yes or no
	NoProgress   bool   // no bar
	Durations    int    // so many of the slowest tests; 0 for all
	DurationsMin time.Duration
	Postgres     string   // that of results whose labels name none, for the line to run again; empty for Bazel's choice
	Bazel        []string // flags for Bazel, for that line
}

// NewBar makes the bar of one run, active on a terminal alone. known serves its estimates.
func NewBar(p *cli.Process, o Options, known *history.Times) *Bar {
	return &Bar{
		out: p.Stdout, err: p.Stderr, Workers: 1, known: known, width: func() int { return width(p) },
		active:  isTerminal(p.Stderr) && p.Getenv("TERM") != "dumb" && !o.NoProgress,
		pending: make(map[results.Key]float64), seen: make(map[results.Key]bool),
	}
}

// Active reports whether there is a bar.
func (s *Bar) Active() bool { return s.active }

// Write writes lines above the bar.
func (s *Bar) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	return s.out.Write(b)
}

// Messages is standard error, above the bar.
func (s *Bar) Messages() io.Writer { return aboveBar{s} }

type aboveBar struct{ s *Bar }

// Write writes to standard error.
func (a aboveBar) Write(b []byte) (int, error) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.s.clear()
	return a.s.err.Write(b)
}

func (s *Bar) clear() {
	if s.shown {
		fmt.Fprint(s.err, "\r\x1b[K")
		s.shown = false
		s.drawn = time.Time{}
	}
}

// Close takes the bar away for good.
func (s *Bar) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	s.active = false
}

// Building takes in a line of Bazel's progress: "[12 / 34] GoCompilePkg ...".
func (s *Bar) Building(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.action = line
}

// Due reports whether it is time to look at the running tests again.
func (s *Bar) Due() bool {
	t := time.Now()
	if t.Sub(s.polled) < pollEvery {
		return false
	}
	s.polled = t
	return true
}

// pollEvery and drawEvery are seldom enough to cost nothing.
const (
	pollEvery = 250 * time.Millisecond
	drawEvery = 200 * time.Millisecond
)

// Target takes in that a test target will be run.
func (s *Bar) Target(label string, shards, runs int) {
	for run := 1; run <= runs; run++ {
		for i := range shards {
			s.pending[results.Key{Label: label, Run: run, Shard: i}] = s.known.Seconds(label, i, shards)
		}
	}
	s.shards += shards * runs
}

// Restart forgets all results: Bazel begins anew.
func (s *Bar) Restart() {
	clear(s.pending)
	clear(s.seen)
	s.shards, s.done, s.cached, s.passed, s.failed, s.skipped = 0, 0, 0, 0, 0, 0
}

// Shard takes a result in.
func (s *Bar) Shard(r *results.Shard) {
	key := r.Key("")
	if _, waited := s.pending[key]; !waited {
		return // another attempt
	}
	delete(s.pending, key)
	s.done++
	if r.Cached {
		s.cached++
	} else {
		s.lastResult = time.Now()
	}
	for i := range r.Tests {
		s.count(r.Key(r.Tests[i].Name), r.Tests[i].Outcome)
	}
	if r.Died != "" {
		s.failed++
	}
}

// Test takes in what a running shard's log tells.
func (s *Bar) Test(e results.LiveEvent) {
	s.count(e.Shard.Key(e.Test.Name), e.Test.Outcome)
}

// count counts a test once, be it live or by its result.
func (s *Bar) count(key results.Key, o results.Outcome) {
	if o == results.Running || s.seen[key] {
		return
	}
	s.seen[key] = true
	switch o {
	case results.Passed:
		s.passed++
	case results.Failed:
		s.failed++
	case results.Skipped:
		s.skipped++
	}
}

// Draw puts the bar on the screen, not more often than eyes can follow.
func (s *Bar) Draw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.active || time.Since(s.drawn) < drawEvery {
		return
	}
	s.drawn, s.shown = time.Now(), true
	fmt.Fprintf(s.err, "\r%s\x1b[K", s.line(s.width()-1))
}

// line is the bar in at most width columns: what matters less is left out first.
func (s *Bar) line(width int) string {
	if s.shards == 0 {
		text := s.action
		if text == "" {
			text = "Bazel looks at what there is to do"
		}
		return cut("building: "+text, width)
	}
	head := fmt.Sprintf("testing: %d/%d shards", s.done, s.shards)
	parts := []string{fmt.Sprintf("%d passed, %d failed", s.passed, s.failed)}
	if left := s.left(); left != "" {
		parts = append(parts, left)
	}
	if s.Running > 0 {
		parts = append(parts, fmt.Sprintf("%d running", s.Running))
	}
	if s.cached > 0 {
		parts = append(parts, fmt.Sprintf("%d cached", s.cached))
	}
	if s.skipped > 0 {
		parts = append(parts, fmt.Sprintf("%d skipped", s.skipped))
	}
	text := head
	for _, part := range parts {
		if len(text)+2+len(part) <= width {
			text += "; " + part
		}
	}
	if cells := min(width-len(text)-3, 40); cells >= 10 {
		full := cells * s.done / s.shards
		text = "[" + strings.Repeat("#", full) + strings.Repeat("-", cells-full) + "] " + text
	}
	return cut(text, width)
}

// left estimates the time until the end by the recorded times; "" where none are known.
func (s *Bar) left() string {
	var sum, longest float64
	for _, seconds := range s.pending {
		sum += seconds
		longest = max(longest, seconds)
	}
	seconds := max(sum/float64(s.Workers), longest)
	if !s.lastResult.IsZero() {
		seconds -= time.Since(s.lastResult).Seconds()
	}
	if sum == 0 {
		return ""
	}
	n := int(max(seconds, 0) + 0.5)
	return fmt.Sprintf("%d:%02d left", n/60, n%60)
}

// cut shortens text to width columns.
func cut(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	return string(runes[:max(width-3, 0)]) + "..."
}
