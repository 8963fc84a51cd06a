package results

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr,omitempty"`
	Cases     []junitTest `xml:"testcase"`
}

type junitTest struct {
	Class   string      `xml:"classname,attr"`
	Name    string      `xml:"name,attr"`
	Time    string      `xml:"time,attr"`
	Failure *junitFault `xml:"failure"`
	Skipped *junitFault `xml:"skipped"`
}

type junitFault struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the results as one JUnit XML document: a testsuite a shard, in the order given, with subtests as
// testcases of their own. A shard that died is a failed testcase with the shard's name. Interrupted tests are left out.
func WriteJUnit(w io.Writer, shards []*Shard) error {
	all := junitSuites{}
	var sum time.Duration
	for _, s := range shards {
		suite := junitSuite{Name: s.String(), Time: junitTime(s.Duration)}
		if !s.Start.IsZero() {
			suite.Timestamp = s.Start.UTC().Format("2006-01-02T15:04:05")
		}
		for _, t := range s.Tests {
			suite.add(s, &t)
			for _, sub := range t.Subtests {
				suite.add(s, &sub)
			}
		}
		if s.Died != "" {
			suite.Cases = append(suite.Cases, junitTest{
				Class: s.Label, Name: s.String(), Time: junitTime(s.Duration), Failure: &junitFault{Message: s.Died},
			})
			suite.Tests++
			suite.Failures++
		}
		all.Tests += suite.Tests
		all.Failures += suite.Failures
		all.Skipped += suite.Skipped
		sum += s.Duration
		all.Suites = append(all.Suites, suite)
	}
	all.Time = junitTime(sum)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (j *junitSuite) add(s *Shard, t *Test) {
	c := junitTest{Class: s.Label, Name: t.Name, Time: junitTime(t.Duration)}
	if c.Name == "" {
		c.Name = s.Label
	}
	switch t.Outcome {
	case Interrupted, Running:
		return
	case Failed:
		c.Failure = &junitFault{"Failed", printable(t.Output)}
		j.Failures++
	case Skipped:
		c.Skipped = &junitFault{"Skipped", printable(t.Output)}
		j.Skipped++
	}
	j.Tests++
	j.Cases = append(j.Cases, c)
}

func junitTime(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// printable takes out go test's framing characters. What XML cannot hold otherwise, the encoder replaces.
func printable(s string) string { return strings.ReplaceAll(s, "\x16", "") }
