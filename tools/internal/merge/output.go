package merge

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pgcell/pgcell/tools/internal/gotest"
)

// longestLine is how much of a line is kept to be read. No line of package testing is longer.
const longestLine = 64 << 10

// Marker is what -test.v=test2json puts before the lines of package testing.
const Marker = 0x16

var (
	coverageLine = regexp.MustCompile(`^coverage: (\[no statements\]|[0-9.]+% of statements.*)$`)
	portInUse    = regexp.MustCompile(`([0-9A-Za-z_.:\[\]-]+): bind: address already in use`)
)

// NoTests is what a test binary says that has run none; go test looks for this line.
const NoTests = "testing: warning: no tests to run"

// Form says how a process prints.
type Form struct {
	Framed  bool   // by -test.v=test2json
	Plain   bool   // standard error alone: of package testing it has only that there are no tests
	Covered bool   // built for coverage: says a percentage
	Seed    string // the seed of -test.shuffle, where another process says it already

	// Shared are top-level tests whose subtests run in several processes. Their results are kept back, and so is their
	// beginning where Later says that another process tells of it.
	Shared, Later map[string]bool
}

// Output reads what one process prints, passes it on line by line, and keeps back what must be said once for all of
// them: the verdict, the coverage, that no test has run, the seed. It is safe for use by several goroutines.
type Output struct {
	Form
	sink func([]byte)

	mu      sync.Mutex
	partial []byte // of a line
	middle  bool   // the start of this line was passed on already
	ended   bool   // the verdict was seen, and no test since

	owner   string // whose output follows
	below   bool   // what is indented belongs to the result of a shared test
	running map[string]time.Time
	report  Report
}

// Report is what a process has said as a whole.
type Report struct {
	Verdict  string // PASS or FAIL; empty for none: the process has died, or its TestMain ran no tests
	Coverage string // the line
	NoTests  bool   // no test has run
	Tests    map[string]Outcome
	Ports    map[string]string // address that was in use → top-level test; empty for none
	After    []byte            // what followed the verdict
	Parts    map[string][]Part // of shared tests, a part for each time that the test ran
}

// Part is what a process says at the end of a shared test.
type Part struct {
	Verb  gotest.Verb
	Took  time.Duration
	Below []byte // the results of its subtests, where they follow it
}

// Outcome is what became of a test.
type Outcome struct {
	Verb  gotest.Verb   // Pass, Skip, or Fail if one of its runs failed
	Took  time.Duration // of all runs
	Times int           // how often it ran
}

// NewOutput gives an Output that passes lines on to sink.
func NewOutput(form Form, sink func([]byte)) *Output {
	return &Output{
		Form: form, sink: sink, running: map[string]time.Time{},
		report: Report{Tests: map[string]Outcome{}, Ports: map[string]string{}, Parts: map[string][]Part{}},
	}
}

// Write takes what the process prints. It never fails: a process must not die because nobody listens.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.partial = append(o.partial, p...)
	for {
		n := lineEnd(o.partial)
		if n == 0 && len(o.partial) < longestLine {
			return len(p), nil
		}
		if n == 0 {
			o.pass(o.partial)
			o.partial, o.middle = o.partial[:0], true
			return len(p), nil
		}
		o.take(o.partial[:n])
		o.partial = o.partial[n:]
	}
}

// lineEnd gives the length of the first line; 0 where it is not whole. As in test2json, a line also ends before a
// marker: a test may have printed a text without an end.
func lineEnd(text []byte) int {
	n := bytes.IndexByte(text, '\n') + 1
	line := text
	if n > 0 {
		line = text[:n]
	}
	if len(line) > 1 {
		if m := bytes.IndexByte(line[1:], Marker); m >= 0 {
			return m + 1
		}
	}
	return n
}

// Close takes the last line, if it has no end, and gives what the process has said as a whole.
func (o *Output) Close() Report {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.partial) > 0 {
		o.take(o.partial)
		o.partial = nil
	}
	return o.report
}

// take reads one line.
func (o *Output) take(line []byte) {
	if o.middle {
		o.middle = false
		o.pass(line)
		return
	}
	text := strings.TrimRight(string(line), "\r\n")
	own := !o.Plain // a line of package testing
	if o.Framed {
		text, own = strings.CutPrefix(text, string(rune(Marker)))
	}
	switch {
	case own && (text == "PASS" || text == "FAIL"):
		o.again()
		o.report.Verdict, o.ended, o.owner = text, true, ""
	case text == NoTests:
		o.report.NoTests = true
	case o.Seed != "" && text == "-test.shuffle "+o.Seed:
	case o.Covered && o.ended && coverageLine.MatchString(text):
		o.report.Coverage = text
	default:
		var parsed gotest.Line
		if own && (strings.HasPrefix(text, "=== ") || strings.HasPrefix(strings.TrimLeft(text, " "), "--- ")) {
			parsed = gotest.ParseLine(text)
			o.follow(parsed)
		}
		if strings.Contains(text, "address already in use") {
			if m := portInUse.FindStringSubmatch(text); m != nil {
				o.report.Ports[m[1]] = top(o.owner)
			}
		}
		if !o.share(parsed, text, line) {
			o.pass(line)
		}
	}
}

// share takes lines that tell of a shared test as a whole.
func (o *Output) share(parsed gotest.Line, text string, line []byte) bool {
	if o.below && strings.HasPrefix(text, "    ") {
		parts := o.report.Parts[o.owner]
		parts[len(parts)-1].Below = append(parts[len(parts)-1].Below, line...)
		return true
	}
	o.below = false
	switch {
	case !o.Shared[parsed.Test]:
		return false
	case parsed.Verb.Ended():
		o.report.Parts[parsed.Test] = append(o.report.Parts[parsed.Test], Part{Verb: parsed.Verb, Took: parsed.Took})
		o.below, o.owner = !o.Framed, parsed.Test
		return true
	case parsed.Verb == gotest.Run && o.Later[parsed.Test]:
		o.pass([]byte(strings.Replace(string(line), "=== RUN ", "=== NAME", 1))) // what follows is the test's all the same
		return true
	}
	return false
}

// again passes on what followed a verdict that was not the last: a TestMain may run the tests twice.
func (o *Output) again() {
	if o.ended {
		o.ended = false
		o.sink(slices.Concat([]byte(o.report.Verdict+"\n"), o.report.After))
		o.report.Verdict, o.report.After = "", nil
	}
}

func (o *Output) pass(text []byte) {
	if o.ended && len(o.report.After) < longestLine {
		o.report.After = append(o.report.After, text...)
		return
	}
	o.sink(text)
}

// follow keeps account of what runs.
func (o *Output) follow(line gotest.Line) {
	if line.Verb == gotest.Output {
		return
	}
	o.again()
	switch line.Verb {
	case gotest.Run:
		o.running[line.Test] = time.Now()
		o.owner = line.Test
	case gotest.Cont, gotest.Name:
		o.owner = line.Test
	case gotest.Pause:
		o.owner = ""
	default:
		delete(o.running, line.Test)
		found := o.report.Tests[line.Test]
		if found.Verb != gotest.Fail {
			found.Verb = line.Verb
		}
		found.Took += line.Took
		found.Times++
		o.report.Tests[line.Test] = found
	}
}

// Say puts a line of the caller's own among the output.
func (o *Output) Say(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.middle || len(o.partial) > 0 {
		text = "\n" + text
	}
	o.pass([]byte(text + "\n"))
}

// Running names the tests that run, and for how long; of a test and its subtests, the subtests alone. Without -v nothing
// is known.
func (o *Output) Running() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []string
	for _, name := range slices.Sorted(maps.Keys(o.running)) {
		below := func(other string) bool { return strings.HasPrefix(other, name+"/") }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(o.running)), below) {
			all = append(all, name+" ("+time.Since(o.running[name]).Round(time.Second).String()+")")
		}
	}
	return all
}

// top gives the top-level test of a subtest.
func top(test string) string {
	name, _, _ := strings.Cut(test, "/")
	return name
}
