// Package junit writes the results of a run as JUnit XML, for CI systems.
package junit

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"

	"github.com/pgcell/pgcell/tools/internal/gotest"
	"github.com/pgcell/pgcell/tools/internal/results"
)

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Time     string   `xml:"time,attr"`
	Suites   []suite  `xml:"testsuite"`
}

type suite struct {
	Name      string     `xml:"name,attr"`
	Tests     int        `xml:"tests,attr"`
	Failures  int        `xml:"failures,attr"`
	Skipped   int        `xml:"skipped,attr"`
	Time      string     `xml:"time,attr"`
	Timestamp string     `xml:"timestamp,attr,omitempty"`
	Cases     []testcase `xml:"testcase"`
}

type testcase struct {
	Class   string `xml:"classname,attr"`
	Name    string `xml:"name,attr"`
	Time    string `xml:"time,attr"`
	Failure *fault `xml:"failure"`
	Skipped *fault `xml:"skipped"`
}

type fault struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// Write writes the results as one JUnit XML document: a testsuite a shard, in the order given, with subtests as
// testcases of their own. A shard that died is a failed testcase with the shard's name. Interrupted tests are left out.
func Write(w io.Writer, shards []*results.Shard) error {
	all := suites{}
	var sum time.Duration
	for _, s := range shards {
		suite := suite{Name: s.String(), Time: seconds(s.Duration)}
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
			suite.Cases = append(suite.Cases, testcase{
				Class: s.Label, Name: s.String(), Time: seconds(s.Duration), Failure: &fault{Message: s.Died},
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
	all.Time = seconds(sum)
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

func (j *suite) add(s *results.Shard, t *results.Test) {
	c := testcase{Class: s.Label, Name: t.Name, Time: seconds(t.Duration)}
	if c.Name == "" {
		c.Name = s.Label
	}
	switch t.Outcome {
	case results.Interrupted, results.Running:
		return
	case results.Failed:
		c.Failure = &fault{"Failed", gotest.Unframe(t.Output)}
		j.Failures++
	case results.Skipped:
		c.Skipped = &fault{"Skipped", gotest.Unframe(t.Output)}
		j.Skipped++
	}
	j.Tests++
	j.Cases = append(j.Cases, c)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
