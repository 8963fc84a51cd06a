package results

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ReadJUnit reads the tests of a JUnit XML file as rules_go and Bazel write it: top-level tests,
// each with its subtests. A name with a slash is a subtest if its part before the slash is a test
// too. The error says that r is no whole XML document.
func ReadJUnit(r io.Reader) ([]Test, error) {
	var cases []Test
	d := xml.NewDecoder(r)
	root := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read JUnit XML: %w", err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		root = true
		if start.Name.Local != "testcase" {
			continue
		}
		var c junitCase
		if err := d.DecodeElement(&c, &start); err != nil {
			return nil, fmt.Errorf("read JUnit XML: %w", err)
		}
		cases = append(cases, c.test())
	}
	if !root {
		return nil, errors.New("read JUnit XML: the file is empty")
	}
	tests := nest(cases)
	excuse(tests)
	return tests, nil
}

// junitCase is one <testcase>.
type junitCase struct {
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure"`
	Error   *junitMessage `xml:"error"`
	Skipped *junitMessage `xml:"skipped"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// running is said of tests without a result; they may have waited for others, as t.Parallel has them.
const running = "(no result: the test was running when its process ended)"

// unfinished are rules_go's words for tests that were running when their process ended.
var unfinished = map[string]string{
	"No pass/skip/fail event found for test": running,
	"Interrupted":                            "(no result: the test was running when its time was up)",
}

// text gives what the test printed, headed by the message where that says something of its own.
func (m *junitMessage) text() string {
	if words, ok := unfinished[m.Message]; ok {
		return words + "\n" + m.Text
	}
	if strings.TrimSpace(m.Text) == "" {
		return m.Message
	}
	return m.Text
}

func (c *junitCase) test() Test {
	t := Test{Name: c.Name}
	seconds, _ := strconv.ParseFloat(c.Time, 64)
	t.Duration = time.Duration(seconds * float64(time.Second))
	for _, m := range []struct {
		*junitMessage
		outcome Outcome
	}{{c.Skipped, Skipped}, {c.Error, Failed}, {c.Failure, Failed}} {
		if m.junitMessage == nil {
			continue
		}
		t.Outcome, t.Output = m.outcome, m.text()
	}
	return t
}

var panicked = regexp.MustCompile(`(?m)^\s*panic: `)

// excuse takes the blame from tests that were running when another one panicked, which ends the process.
func excuse(tests []Test) {
	guilty := func(t Test) bool {
		return t.Outcome == Failed && !strings.HasPrefix(t.Output, running) && panicked.MatchString(t.Output)
	}
	if !slices.ContainsFunc(tests, func(t Test) bool { return guilty(t) || slices.ContainsFunc(t.Subtests, guilty) }) {
		return
	}
	for i := range tests {
		t := &tests[i]
		if t.Outcome == Failed && strings.HasPrefix(t.Output, running) && !slices.ContainsFunc(t.Subtests, guilty) {
			t.Outcome = Interrupted
		}
	}
}

// nest puts subtests under their tests.
func nest(cases []Test) []Test {
	index := make(map[string]int)
	var top []Test
	for _, c := range cases {
		if !strings.Contains(c.Name, "/") {
			index[c.Name] = len(top)
			top = append(top, c)
		}
	}
	for _, c := range cases {
		parent, _, sub := strings.Cut(c.Name, "/")
		if !sub {
			continue
		}
		if i, ok := index[parent]; ok {
			top[i].Subtests = append(top[i].Subtests, c)
		} else {
			top = append(top, c)
		}
	}
	return top
}
