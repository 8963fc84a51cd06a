package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/results"
)

// printer writes results as lines.
type printer struct {
	w        io.Writer
	quiet    bool // what passed is shown by the bar alone
	named    bool // names were asked for: shards without one of them go unmentioned
	verbose  bool
	output   bool
	color    bool
	annotate bool // failures are annotations of GitHub's as well
	space    *workspace

	shown map[failure]bool // failures that were printed

	// held are cached shards of a target whose other shards are not known yet: a target that is cached
	// as a whole gets one line.
	held map[string][]*results.Shard
}

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(p.w, format+"\n", args...)
}

// colored reports whether words get colours.
func (p *program) colored(o *options) bool {
	switch o.color {
	case "yes":
		return true
	case "no":
		return false
	}
	return isTerminal(p.stdout) && p.getenv("NO_COLOR") == "" && p.getenv("TERM") != "dumb"
}

// paint colours a word by what it says.
func (p *printer) paint(word string) string {
	if !p.color {
		return word
	}
	code := "31" // red
	switch word {
	case "PASSED":
		code = "32"
	case "SKIPPED", "FLAKY", "STOPPED":
		code = "33"
	}
	return "\x1b[" + code + "m" + word + "\x1b[0m"
}

// live prints a failure of a running shard.
func (p *printer) live(e results.LiveEvent) {
	if e.Test.Outcome == results.Failed && !p.output {
		s := &results.Shard{Label: e.Shard.Label, Run: e.Shard.Run, Index: e.Shard.Index, Total: e.Shard.Total}
		p.failure(s, e.Test)
	}
}

// shard prints a result when it comes; attempts is how often the shard is run at most.
func (p *printer) shard(s *results.Shard, attempts int) {
	if p.named && len(s.Tests) == 0 && s.OK() || p.hold(s) {
		return
	}
	if p.output {
		p.line("----- %s -----", s)
		p.log(s, "", 0)
	}
	for _, t := range s.Failed() {
		p.failure(s, &t)
	}
	if p.verbose {
		for _, t := range s.Tests {
			p.test(s, &t)
			for _, sub := range t.Subtests {
				p.test(s, &sub)
			}
		}
	}
	clean := s.OK() && s.Note == "" && s.Attempt == 1
	if p.quiet && clean || p.verbose && clean && len(s.Tests) > 0 {
		return
	}
	p.result(s)
	if !s.OK() && s.Attempt < attempts {
		p.line("  (attempt %d of at most %d)", s.Attempt, attempts)
	}
}

// hold keeps a cached shard back, and prints one line in place of all when it was its target's last.
// It reports whether s is taken care of.
func (p *printer) hold(s *results.Shard) bool {
	if p.verbose || p.output || p.quiet {
		return false
	}
	target := s.Label + " " + s.Config
	if !s.Cached || !s.OK() || s.Note != "" || s.Total == 1 || s.Run > 1 {
		p.release(target)
		return false
	}
	if p.held == nil {
		p.held = make(map[string][]*results.Shard)
	}
	p.held[target] = append(p.held[target], s)
	if held := p.held[target]; len(held) == s.Total {
		tests := 0
		for _, h := range held {
			tests += len(h.Tests)
		}
		delete(p.held, target)
		p.line("%s %s (%s in %d shards, cached)", p.paint(string(s.Status)), s.Label, plural(tests, "test"), s.Total)
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

// releaseAll prints all that was held back.
func (p *printer) releaseAll() {
	for _, target := range slices.Sorted(maps.Keys(p.held)) {
		p.release(target)
	}
}

// result prints a shard's line and, where it died, how.
func (p *printer) result(s *results.Shard) {
	p.line("%s %s %.1fs%s", p.paint(status(s.Status)), s, s.Duration.Seconds(), note(s))
	if s.Note != "" {
		p.line("  %s", s.Note)
	}
	if s.Died != "" {
		p.line("  %s", s.Died)
		p.annotation("", 0, s.String(), s.Died)
		if !p.output {
			p.log(s, "    ", logTail)
		}
	}
	if _, err := os.Stat(s.Log); err == nil && (len(s.Failed()) > 0 || s.Died != "") {
		p.line("  log: %s", s.Log)
	}
}

// failure prints a failed test with its output, once.
func (p *printer) failure(s *results.Shard, t *results.Test) {
	key := failure{s.Label, fmt.Sprintf("%s#%d", t.Name, s.Attempt), s.Run, s.Index}
	if s.Attempt <= 1 {
		key.name = t.Name // a live one does not know its attempt
	}
	if p.shown[key] {
		return
	}
	p.shown[key] = true
	where := p.where(s, t)
	p.line("%s %s %.2fs%s", p.paint("FAILED"), title(s, t), t.Duration.Seconds(), where.suffix())
	p.annotation(where.path, where.line, title(s, t), firstLines(t))
	if p.output {
		return // it was shown with the log
	}
	p.indented(clean(t.Output), "    ")
	for _, sub := range t.Subtests {
		if sub.Outcome == results.Failed {
			p.line("    %s %.2fs", sub.Name, sub.Duration.Seconds())
			p.indented(clean(sub.Output), "      ")
		}
	}
}

// note gives what stands in parentheses behind a shard.
func note(s *results.Shard) string {
	var notes []string
	if n := len(s.Tests); n == 0 && s.Died != "" {
		// it may have had tests, and nobody knows how many
	} else if n != 1 || s.Tests[0].Name != "" {
		notes = append(notes, plural(n, "test"))
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

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// status gives Bazel's word, in the width of PASSED where there is one as short.
func status(s bazel.Status) string {
	switch s {
	case bazel.Incomplete, bazel.NoStatus:
		return "STOPPED"
	default:
		return string(s)
	}
}

// test prints one line for -v.
func (p *printer) test(s *results.Shard, t *results.Test) {
	line := fmt.Sprintf("%s %s %.2fs", p.paint(t.Outcome.String()), title(s, t), t.Duration.Seconds())
	if s.Cached {
		line += " (cached)"
	}
	if reason := skipReason(t); reason != "" {
		line += ": " + reason
	}
	p.line("%s", line)
}

// skipReason is the last line that a skipped test printed.
func skipReason(t *results.Test) string {
	if t.Outcome != results.Skipped {
		return ""
	}
	lines := strings.Split(clean(t.Output), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// title names a test in the form that "pgcell run" takes, and its worker.
func title(s *results.Shard, t *results.Test) string {
	name := s.Label
	if t.Name != "" {
		name = fmt.Sprintf("%s::%s [%s]", s.Label, t.Name, s.Worker())
	}
	if s.Run > 1 {
		name += fmt.Sprintf(" run %d", s.Run)
	}
	return name
}
