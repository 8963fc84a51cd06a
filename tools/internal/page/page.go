// Package page writes the HTML report of a test run: one file that needs nothing else, for people with a browser of any
// width, by day and by night, with a mouse or with keys.
//
// Goals: why is it slow, why is it red; readable without JavaScript, which only filters, searches and moves.
// Non-goals: a
// service; a file format for programs (there is JUnit XML).
package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/results"
)

// Run is what a report tells of.
type Run struct {
	Title     string // what was run, in a few words
	Start     time.Time
	Took      time.Duration
	Workspace string // absolute path
	Program   string // by which the user runs tests
	Args      []string
	Postgres  string // the value of --postgres where labels name none; empty for Bazel's choice
	Workers   int    // shards that could run at once; 0 when unknown
	Why       string // why that many; empty where the user said the number
	Verdict   string // the closing line
	OK        bool
	Counts    results.Counts
	Subtests  results.Counts
	Shards    []*results.Shard
	Reasons   []Reason
	Flaky     []string
	Past      []*history.Run // of the same tests, newest first, without this one
	FromCache int            // shards of this run that came from a cache
}

// Reason says why suites ran and did not come from the cache.
type Reason struct {
	Why    string
	Labels []string
}

//go:embed page.html
var source string

//go:embed page.css
var style string

//go:embed page.js
var script string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"style":  func() template.CSS { return template.CSS(style) },
	"script": func() template.JS { return template.JS(script) },
	"sec":    seconds,
	"fixed":  func(f float64) string { return fmt.Sprintf("%.2f", f) },
}).Parse(source))

// Write writes the report. It takes about 0.1 s for 2,000 tests. The error is one of writing.
func Write(w io.Writer, run *Run) error {
	if err := page.Execute(w, newView(run)); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func seconds(d time.Duration) string {
	switch s := d.Seconds(); {
	case s == 0:
		return "0"
	case s < 0.0995:
		return fmt.Sprintf("%.0f ms", 1000*s)
	case s < 9.95:
		return fmt.Sprintf("%.2f s", s)
	case s < 120:
		return fmt.Sprintf("%.1f s", s)
	default:
		return fmt.Sprintf("%d:%02d min", int(s)/60, int(s)%60)
	}
}
