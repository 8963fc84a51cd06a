package results

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/gotest"
)

// ReadLog reads the tests of what "go test -v" printed: names, outcomes and durations, and the output of those that
// failed or were skipped. It is the second best where test.xml is missing: a test that was running when its process
// ended left no line. The error is one of reading.
func ReadLog(r io.Reader) ([]Test, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read the tests of a log: %w", err)
	}
	p := logParser{lenient: true}
	p.write(append(b, '\n'), func(*Test) {})
	return slices.DeleteFunc(p.all(), func(t Test) bool { return t.Outcome == Running }), nil
}

// logHead ends the lines that Bazel puts at the head of test.log.
var logHead = []byte("\n" + strings.Repeat("-", 77) + "\n")

// ReadLogText gives what a shard's processes printed, fit to be shown: without Bazel's own first lines.
func ReadLogText(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if _, body, ok := bytes.Cut(b, logHead); ok {
		b = body
	}
	return strings.TrimRight(gotest.WithOwners(string(b)), "\n"), nil
}

// outputLimit is how much of a test's output is held while it runs, in bytes.
const outputLimit = 256 << 10

// logParser reads the log of "go test -v" piece by piece. The zero value is ready for use.
type logParser struct {
	// lenient has a result count whose test was not seen to begin; else it is output of a test that looks like one.
	lenient bool

	rest    []byte
	current string
	order   []string // top-level tests
	tests   map[string]*Test
	output  map[string]*bytes.Buffer
}

// all gives what is known of the top-level tests, in the order in which they began.
func (p *logParser) all() []Test {
	var tests []Test
	for _, name := range p.order {
		tests = append(tests, *p.tests[name])
	}
	return tests
}

// write takes a piece in and calls report for each top-level test that began or ended.
func (p *logParser) write(b []byte, report func(*Test)) {
	p.rest = append(p.rest, b...)
	for {
		end := bytes.IndexByte(p.rest, '\n')
		if end < 0 {
			return
		}
		p.line(string(p.rest[:end]), report)
		p.rest = p.rest[end+1:]
	}
}

func (p *logParser) line(text string, report func(*Test)) {
	line := gotest.ParseLine(text)
	switch {
	case line.Verb == gotest.Run:
		p.current = line.Test
		p.begin(line.Test, report)
	case line.Verb == gotest.Cont, line.Verb == gotest.Name:
		p.current = line.Test
	case line.Verb == gotest.Pause:
	case line.Verb.Ended() && p.output[line.Test] != nil:
		p.end(line, report)
	case line.Verb.Ended() && p.lenient:
		p.begin(line.Test, report)
		p.end(line, report)
	default:
		if out := p.output[p.current]; out != nil && out.Len() < outputLimit {
			out.WriteString(text + "\n")
		}
	}
}

func (p *logParser) begin(name string, report func(*Test)) {
	if p.tests == nil {
		p.tests, p.output = make(map[string]*Test), make(map[string]*bytes.Buffer)
	}
	p.output[name] = &bytes.Buffer{}
	if strings.Contains(name, "/") {
		return
	}
	if p.tests[name] == nil {
		p.order = append(p.order, name)
	}
	p.tests[name] = &Test{Name: name, Outcome: Running}
	report(p.tests[name])
}

func (p *logParser) end(line gotest.Line, report func(*Test)) {
	t := Test{Name: line.Test, Duration: line.Took}
	switch line.Verb {
	case gotest.Fail:
		t.Outcome = Failed
	case gotest.Skip:
		t.Outcome = Skipped
	}
	if t.Outcome != Passed {
		t.Output = p.output[t.Name].String()
	}
	top, _, isSub := strings.Cut(t.Name, "/")
	if isSub {
		if parent := p.tests[top]; parent != nil {
			parent.Subtests = append(parent.Subtests, t)
		}
		return
	}
	if running := p.tests[t.Name]; running != nil {
		t.Subtests = running.Subtests
		*running = t
		report(running)
	}
}
