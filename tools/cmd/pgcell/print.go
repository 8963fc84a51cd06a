package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/bep"
	"github.com/pgcell/pgcell/tools/internal/report"
)

// printer writes results as plain lines.
type printer struct {
	w       io.Writer
	live    bool // each result when it comes; else failures alone, at the end
	named   bool // names were asked for: shards without one of them go unmentioned
	verbose bool
	output  bool

	// held are cached shards of a target whose other shards are not known yet: a target that is cached
	// as a whole gets one line.
	held map[string][]*report.Shard
}

// summary is what the closing lines say.
type summary struct {
	shards          []*report.Shard
	counts          report.Counts
	targets, cached int
	took            time.Duration
}

func (s *summary) add(r *report.Run) {
	s.shards = append(s.shards, r.Shards...)
	c := r.Counts()
	s.counts.Passed += c.Passed
	s.counts.Failed += c.Failed
	s.counts.Skipped += c.Skipped
	s.targets, s.cached = report.Targets(s.shards)
}

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(p.w, format+"\n", args...)
}

// shard prints a result when it comes.
func (p *printer) shard(s *report.Shard) {
	if !p.live || p.named && len(s.Tests) == 0 && s.OK() {
		return
	}
	if p.hold(s) {
		return
	}
	if p.output {
		p.line("----- %s -----", s)
		p.log(s, "", 0)
	}
	if p.verbose {
		for _, t := range s.Tests {
			p.test(s, &t)
			for _, sub := range t.Subtests {
				p.test(s, &sub)
			}
		}
	}
	if !p.verbose || len(s.Tests) == 0 || !s.OK() || s.Note != "" {
		p.result(s)
	}
}

// hold keeps a cached shard back, and prints one line in place of all when it was its target's last.
// It reports whether s is taken care of.
func (p *printer) hold(s *report.Shard) bool {
	if p.verbose || p.output {
		return false
	}
	target := s.Label + " " + s.Config
	if !s.Cached || !s.OK() || s.Note != "" || s.Total == 1 || s.Run > 1 {
		p.release(target)
		return false
	}
	if p.held == nil {
		p.held = make(map[string][]*report.Shard)
	}
	p.held[target] = append(p.held[target], s)
	if held := p.held[target]; len(held) == s.Total {
		tests := 0
		for _, h := range held {
			tests += len(h.Tests)
		}
		delete(p.held, target)
		p.line("%s %s (%d tests in %d shards, cached)", s.Status, s.Label, tests, s.Total)
	}
	return true
}

// release prints the shards of a target that were held back.
func (p *printer) release(target string) {
	for _, s := range p.held[target] {
		p.result(s)
	}
	delete(p.held, target)
}

// result prints a shard's line and, below it, its failed tests with their output.
func (p *printer) result(s *report.Shard) {
	p.line("%s %s %.1fs%s", status(s.Status), s, s.Duration.Seconds(), note(s))
	if s.Note != "" {
		p.line("  %s", s.Note)
	}
	failed := s.Failed()
	for _, t := range failed {
		p.line("  %s %.2fs", t.Name, t.Duration.Seconds())
		if p.output {
			continue // it was shown with the log
		}
		p.indented(clean(t.Output), "    ")
		for _, sub := range t.Subtests {
			if sub.Outcome == report.Failed {
				p.line("    %s %.2fs", sub.Name, sub.Duration.Seconds())
				p.indented(clean(sub.Output), "      ")
			}
		}
	}
	if s.Died != "" {
		p.line("  %s", s.Died)
		if !p.output {
			p.log(s, "    ", logTail)
		}
	}
	if _, err := os.Stat(s.Log); err == nil && (len(failed) > 0 || s.Died != "") {
		p.line("  log: %s", s.Log)
	}
}

// note gives what stands in parentheses behind a shard.
func note(s *report.Shard) string {
	var notes []string
	if n := len(s.Tests); n == 0 && s.Died != "" {
		// it may have had tests, and nobody knows how many
	} else if n != 1 {
		notes = append(notes, fmt.Sprintf("%d tests", n))
	} else if s.Tests[0].Name != "" {
		notes = append(notes, "1 test")
	}
	if s.Attempt > 1 {
		notes = append(notes, fmt.Sprintf("attempt %d", s.Attempt))
	}
	if s.Cached {
		notes = append(notes, "cached")
	}
	if len(notes) == 0 {
		return ""
	}
	return " (" + strings.Join(notes, ", ") + ")"
}

// status gives Bazel's word, in the width of PASSED where there is one as short.
func status(s bep.Status) string {
	switch s {
	case bep.Incomplete, bep.NoStatus:
		return "STOPPED"
	default:
		return string(s)
	}
}

// test prints one line for -v.
func (p *printer) test(s *report.Shard, t *report.Test) {
	line := fmt.Sprintf("%s %s %.2fs", t.Outcome, title(s, t), t.Duration.Seconds())
	if s.Cached {
		line += " (cached)"
	}
	if reason := clean(t.Output); t.Outcome == report.Skipped && reason != "" {
		lines := strings.Split(reason, "\n")
		line += ": " + strings.TrimSpace(lines[len(lines)-1])
	}
	p.line("%s", line)
}

// title names a test in the form that "pgcell run" takes, and its worker.
func title(s *report.Shard, t *report.Test) string {
	if t.Name == "" {
		return s.Label
	}
	return fmt.Sprintf("%s::%s [%s]", s.Label, t.Name, s.Worker())
}

// failures prints, at the end, the failures that were not shown when they came, and a list of all.
func (p *printer) failures(sum *summary) {
	for _, target := range slices.Sorted(maps.Keys(p.held)) {
		p.release(target)
	}
	if sum.counts.Failed == 0 {
		return
	}
	p.line("")
	if !p.live {
		for _, s := range sum.shards {
			if len(s.Failed()) > 0 || s.Died != "" {
				p.result(s)
			}
		}
		p.line("")
	}
	p.line("failed:")
	for _, s := range sum.shards {
		for _, t := range s.Failed() {
			p.line("  %s", title(s, &t))
		}
		if s.Died != "" {
			p.line("  %s: %s", s, s.Died)
		}
	}
	p.line("")
}

// closing prints the last two lines.
func (p *printer) closing(sum *summary) {
	p.line("%d of %d targets cached, %.1fs", sum.cached, sum.targets, sum.took.Seconds())
	p.line("%d passed, %d failed, %d skipped", sum.counts.Passed, sum.counts.Failed, sum.counts.Skipped)
}

// logTail is how many lines of a dead shard's log are shown.
const logTail = 40

// logHead ends the lines that Bazel puts at the head of test.log.
var logHead = []byte("\n" + strings.Repeat("-", 77) + "\n")

// log prints test.log without Bazel's own first lines; of more than tail lines, the last ones.
func (p *printer) log(s *report.Shard, indent string, tail int) {
	if s.Log == "" {
		p.line("%s(its log is not on this machine)", indent)
		return
	}
	b, err := os.ReadFile(s.Log)
	if err != nil {
		p.line("%s(its log is lost: %v)", indent, err)
		return
	}
	if _, body, ok := bytes.Cut(b, logHead); ok {
		b = body
	}
	text := strings.TrimRight(nameLine.ReplaceAllString(strings.ReplaceAll(string(b), framing, ""), ""), "\n")
	if lines := strings.Split(text, "\n"); tail > 0 && len(lines) > tail {
		p.line("%s(%d lines above left out)", indent, len(lines)-tail)
		text = strings.Join(lines[len(lines)-tail:], "\n")
	}
	p.indented(text, indent)
}

func (p *printer) indented(text, indent string) {
	if text == "" {
		return
	}
	p.line("%s%s", indent, strings.ReplaceAll(text, "\n", "\n"+indent))
}

// framing is the character that "go test -v=test2json" puts before its own lines, and nameLine is a
// line that it has for machines alone.
const framing = "\x16"

var nameLine = regexp.MustCompile(`(?m)^=== NAME .*\n`)

var ownLine = regexp.MustCompile(`(?m)^\s*(=== (RUN|PAUSE|CONT|NAME)|--- (FAIL|SKIP|PASS):) .*\n?`)

// clean takes go test's own lines out of a test's output, and the indentation that all lines share.
func clean(output string) string {
	text := strings.ReplaceAll(output, framing, "")
	text = strings.Trim(ownLine.ReplaceAllString(text, ""), "\n")
	lines := strings.Split(text, "\n")
	shared := -1
	for _, l := range lines {
		if indent := len(l) - len(strings.TrimLeft(l, " ")); strings.TrimSpace(l) != "" && (shared < 0 || indent < shared) {
			shared = indent
		}
	}
	for i, l := range lines {
		lines[i] = l[min(max(shared, 0), len(l)):]
	}
	return strings.TrimRight(strings.Join(lines, "\n"), " \n")
}
