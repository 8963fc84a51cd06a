package screen

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/gotest"
	"github.com/pgcell/pgcell/tools/internal/results"
)

// Printer writes results as lines.
type Printer struct {
	// Named has shards without any test go unmentioned: names were asked for.
	Named bool

	w        io.Writer
	o        Options
	root     string // of the workspace
	command  string // that runs tests
	quiet    bool   // what passed gets no line
	color    bool
	annotate bool // failures are annotations of GitHub's as well

	shown map[results.Key]bool // failures that were printed

	// held are cached shards of a target whose other shards are not known yet: a target that is cached
	// as a whole gets one line.
	held map[string][]*results.Shard
}

// NewPrinter prints above a bar. root is the workspace.
func NewPrinter(p *cli.Process, bar *Bar, root string, o Options) *Printer {
	return &Printer{
		w: bar, o: o, root: root, command: p.RunCommand(), color: o.colored(p),
		quiet:    o.Quiet || bar.Active() && !o.Verbose && !o.Output,
		annotate: p.Getenv("GITHUB_ACTIONS") == "true", shown: make(map[results.Key]bool),
	}
}

// Line prints a line.
func (p *Printer) Line(format string, args ...any) {
	fmt.Fprintf(p.w, format+"\n", args...)
}

// ShowOutput has all that tests print shown, as --show-output does.
func (p *Printer) ShowOutput() { p.o.Output, p.quiet = true, false }

// paint colours a word by what it says.
func (p *Printer) paint(word string) string {
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

// Live prints a failure of a running shard.
func (p *Printer) Live(e results.LiveEvent) {
	if e.Test.Outcome == results.Failed && !p.o.Output {
		p.failure(e.Shard.Shard(), e.Test)
	}
}

// Shard prints a result when it comes; attempts is how often the shard is run at most.
func (p *Printer) Shard(s *results.Shard, attempts int) {
	if p.Named && len(s.Tests) == 0 && s.OK() && !s.Unknown() || p.hold(s) {
		return
	}
	if p.o.Output {
		p.Line("----- %s -----", s)
		p.log(s, "", 0)
	}
	for _, t := range s.Failed() {
		p.failure(s, &t)
	}
	if p.o.Verbose {
		for _, t := range s.Tests {
			p.test(s, &t)
			for _, sub := range t.Subtests {
				p.test(s, &sub)
			}
		}
	}
	clean := s.OK() && s.Note == "" && s.Attempt == 1
	if p.quiet && clean || p.o.Verbose && clean && len(s.Tests) > 0 {
		return
	}
	p.result(s)
	if !s.OK() && s.Attempt < attempts {
		p.Line("  (attempt %d of at most %d)", s.Attempt, attempts)
	}
}

// hold keeps a cached shard back, and prints one line in place of all when it was its target's last.
// It reports whether s is taken care of.
func (p *Printer) hold(s *results.Shard) bool {
	if p.o.Verbose || p.o.Output || p.quiet {
		return false
	}
	target := s.Label + " " + s.Config
	if !s.Cached || !s.OK() || s.Unknown() || s.Total == 1 || s.Run > 1 {
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
		p.Line("%s %s (%s in %d shards, cached)", p.paint(string(s.Status)), s.Label, cli.Plural(tests, "test"), s.Total)
	}
	return true
}

// release prints the shards of a target that were held back.
func (p *Printer) release(target string) {
	for _, s := range p.held[target] {
		p.result(s)
	}
	delete(p.held, target)
}

// releaseAll prints all that was held back.
func (p *Printer) releaseAll() {
	for _, target := range slices.Sorted(maps.Keys(p.held)) {
		p.release(target)
	}
}

// result prints a shard's line and, where it died, how.
func (p *Printer) result(s *results.Shard) {
	p.Line("%s %s %.1fs%s", p.paint(status(s.Status)), s, s.Duration.Seconds(), note(s))
	if s.Note != "" {
		p.Line("  %s", s.Note)
	}
	if s.Died != "" {
		p.Line("  %s", s.Died)
		p.annotation("", 0, s.String(), s.Died)
		if !p.o.Output {
			p.log(s, "    ", logTail)
		}
	}
	if _, err := os.Stat(s.Log); err == nil && (len(s.Failed()) > 0 || s.Died != "") {
		p.Line("  log: %s", s.Log)
	}
}

// failure prints a failed test with its output, once.
func (p *Printer) failure(s *results.Shard, t *results.Test) {
	key := s.Key(fmt.Sprintf("%s#%d", t.Name, s.Attempt))
	if s.Attempt <= 1 {
		key.Name = t.Name // a live one does not know its attempt
	}
	if p.shown[key] {
		return
	}
	p.shown[key] = true
	where := s.Where(t, p.root)
	p.Line("%s %s %.2fs%s", p.paint("FAILED"), s.Title(t), t.Duration.Seconds(), suffix(where))
	p.annotation(where.Path, where.Line, s.Title(t), firstLines(s, t))
	if p.o.Output {
		return // it was shown with the log
	}
	p.indented(s.Text(t), "    ")
	for _, sub := range t.Subtests {
		if sub.Outcome == results.Failed {
			p.Line("    %s %.2fs", sub.Name, sub.Duration.Seconds())
			p.indented(s.Text(&sub), "      ")
		}
	}
}

// suffix is a place behind a line.
func suffix(p gotest.Place) string {
	if p == (gotest.Place{}) {
		return ""
	}
	return "  " + p.String()
}

// note gives what stands in parentheses behind a shard.
func note(s *results.Shard) string {
	var notes []string
	if n := len(s.Tests); n == 0 && s.Died != "" {
		// it may have had tests, and nobody knows how many
	} else if s.Unknown() {
		notes = append(notes, "passed tests not known")
	} else if n != 1 || s.Tests[0].Name != "" {
		notes = append(notes, cli.Plural(n, "test"))
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
func status(s bazel.Status) string {
	switch s {
	case bazel.Incomplete, bazel.NoStatus:
		return "STOPPED"
	default:
		return string(s)
	}
}

// test prints one line for -v.
func (p *Printer) test(s *results.Shard, t *results.Test) {
	line := fmt.Sprintf("%s %s %.2fs", p.paint(t.Outcome.String()), s.Title(t), t.Duration.Seconds())
	if s.Cached {
		line += " (cached)"
	}
	if reason := t.SkipReason(); reason != "" {
		line += ": " + reason
	}
	p.Line("%s", line)
}
