package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/results"
)

// screen shows lines on standard output and, on a terminal, one line of progress on standard error below them.
type screen struct {
	out, err io.Writer
	bar      bool
	workers  int
	known    *history.Times

	mu      sync.Mutex
	shown   bool // the bar is on the screen
	partial bool // the last line that was written has no end yet
	drawn   time.Time
	polled  time.Time
	width   func() int
	action  string // what Bazel says that it does

	pending                 map[failure]float64 // shards without a result, with their estimates in seconds
	shards, done, cached    int
	passed, failed, skipped int
	running                 int
	lastResult              time.Time
	seen                    map[failure]bool // tests that were counted live
}

func (p *program) newScreen(o *options, known *history.Times) *screen {
	return &screen{
		out: p.stdout, err: p.stderr, workers: 1, known: known, width: p.terminalWidth,
		bar:     isTerminal(p.stderr) && p.getenv("TERM") != "dumb" && !o.noProgress && !o.collectOnly,
		pending: make(map[failure]float64), seen: make(map[failure]bool),
	}
}

// terminalWidth gives the columns of the terminal; COLUMNS goes first.
func (p *program) terminalWidth() int {
	if n, err := strconv.Atoi(p.getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := p.stderr.(*os.File); ok {
		if n := columns(f); n > 0 {
			return n
		}
	}
	return 80
}

// Write writes lines above the bar.
func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	return s.out.Write(b)
}

// messages is standard error, above the bar.
func (s *screen) messages() io.Writer { return aboveBar{s} }

type aboveBar struct{ s *screen }

// Write writes to standard error.
func (a aboveBar) Write(b []byte) (int, error) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.s.clear()
	return a.s.err.Write(b)
}

func (s *screen) clear() {
	if s.shown {
		fmt.Fprint(s.err, "\r\x1b[K")
		s.shown = false
		s.drawn = time.Time{}
	}
}

// close takes the bar away for good.
func (s *screen) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	s.bar = false
}

// building takes in a line of Bazel's progress: "[12 / 34] GoCompilePkg ...".
func (s *screen) building(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.action = line
}

// due reports whether it is time to look at the running tests again.
func (s *screen) due() bool {
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

// target takes in that a test target will be run.
func (s *screen) target(label string, shards, runs int) {
	for run := 1; run <= runs; run++ {
		for i := range shards {
			s.pending[failure{label, "", run, i}] = s.known.Seconds(label, i, shards)
		}
	}
	s.shards += shards * runs
}

// shard takes a result in.
func (s *screen) shard(r *results.Shard) {
	key := failure{r.Label, "", r.Run, r.Index}
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
		s.count(failure{r.Label, r.Tests[i].Name, r.Run, r.Index}, r.Tests[i].Outcome)
	}
	if r.Died != "" {
		s.failed++
	}
}

// test takes in what a running shard's log tells.
func (s *screen) test(e results.LiveEvent) {
	s.count(failure{e.Shard.Label, e.Test.Name, e.Shard.Run, e.Shard.Index}, e.Test.Outcome)
}

// count counts a test once, be it live or by its result.
func (s *screen) count(key failure, o results.Outcome) {
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

// draw puts the bar on the screen, not more often than eyes can follow.
func (s *screen) draw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.bar || time.Since(s.drawn) < drawEvery {
		return
	}
	s.drawn, s.shown = time.Now(), true
	fmt.Fprintf(s.err, "\r%s\x1b[K", s.line(s.width()-1))
}

// line is the bar in at most width columns: what matters less is left out first.
func (s *screen) line(width int) string {
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
	if s.running > 0 {
		parts = append(parts, fmt.Sprintf("%d running", s.running))
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
func (s *screen) left() string {
	var sum, longest float64
	for _, seconds := range s.pending {
		sum += seconds
		longest = max(longest, seconds)
	}
	seconds := max(sum/float64(s.workers), longest)
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
