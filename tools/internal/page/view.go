package page

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kballard/go-shellquote"

	"github.com/pgcell/pgcell/tools/internal/gotest"
	"github.com/pgcell/pgcell/tools/internal/label"
	"github.com/pgcell/pgcell/tools/internal/results"
	"github.com/pgcell/pgcell/tools/internal/secret"
)

// view is what the template shows.
type view struct {
	*Run
	When     string
	Command  string
	Failures []failure
	Tests    []row
	Timeline timeline
	Suites   []balance
	History  []past
	Cells    cells
	Cached   saved
}

// failure is a failed test, or a shard that died.
type failure struct {
	ID, Title, Where, Worker string
	Again                    string // a line that runs it again
	Took                     time.Duration
	Output                   string
	Subtests                 []failure
	Psql                     []string
	Dumps                    []link
	Log                      template.URL // file: is safe here: the report is a file itself
	LogPath                  string
}

type link struct {
	Text string
	URL  template.URL
}

// row is a test in the table.
type row struct {
	Outcome, Suite, Name, Worker, Reason string
	Took, Cell, Wait                     time.Duration
	Cached                               bool
	Subtests                             int
}

// saved is what the cache spared.
type saved struct {
	Shards, All, Tests int
	Took               time.Duration
}

// cells is what databases cost.
type cells struct {
	Made             []string
	Time, Wait, Test time.Duration
}

func newView(run *Run) *view {
	v := &view{Run: run, Command: command(run.Program, run.Args)}
	if !run.Start.IsZero() {
		v.When = run.Start.Local().Format("2006-01-02 15:04:05")
	}
	kinds := make(map[string]int)
	for _, s := range run.Shards {
		v.failures(s)
		for i := range s.Tests {
			v.test(s, &s.Tests[i])
		}
		for _, c := range s.Cells {
			kinds[cmp.Or(c.Made, "made")]++
		}
		if s.Cached {
			v.Cached.Shards++
			v.Cached.Tests += len(s.Tests)
			v.Cached.Took += s.Duration
		}
	}
	v.Cached.All = len(run.Shards)
	for kind, n := range kinds {
		v.Cells.Made = append(v.Cells.Made, fmt.Sprintf("%d %s", n, kind))
	}
	slices.Sort(v.Cells.Made)
	slices.SortStableFunc(v.Tests, func(a, b row) int { return cmp.Compare(b.Took, a.Took) })
	v.Timeline = newTimeline(run.Shards)
	v.Suites = balances(run.Shards)
	v.History = newPast(run)
	return v
}

// command gives a line for the shell, without secrets.
func command(program string, args []string) string {
	return program + " " + shellquote.Join(secret.Args(args)...)
}

func (v *view) test(s *results.Shard, t *results.Test) {
	v.Cells.Time += t.CellTime
	v.Cells.Wait += t.WaitTime
	v.Cells.Test += t.Duration
	r := row{
		Outcome: strings.ToLower(t.Outcome.String()), Suite: s.Label, Name: t.Name, Worker: s.Worker(),
		Took: t.Duration, Cell: t.CellTime, Wait: t.WaitTime, Cached: s.Cached, Subtests: len(t.Subtests),
		Reason: t.SkipReason(),
	}
	v.Tests = append(v.Tests, r)
}

// failures adds those of a shard.
func (v *view) failures(s *results.Shard) {
	for _, t := range s.Failed() {
		f := v.failure(s, &t)
		for i := range t.Subtests {
			if sub := &t.Subtests[i]; sub.Outcome == results.Failed {
				f.Subtests = append(f.Subtests, failure{Title: sub.Name, Took: sub.Duration, Output: s.Text(sub)})
			}
		}
		v.Failures = append(v.Failures, f)
	}
	if s.Died != "" {
		f := v.failure(s, &results.Test{Duration: s.Duration, Output: s.Died})
		f.Title = s.String()
		v.Failures = append(v.Failures, f)
	}
}

func (v *view) failure(s *results.Shard, t *results.Test) failure {
	f := failure{
		ID:    fmt.Sprintf("failure-%d", len(v.Failures)+1),
		Title: label.Versioned(s.Argument(t), label.Version(s.Label)), Worker: s.Worker(), Took: t.Duration, Output: s.Text(t),
		Where: s.Where(t, v.Workspace).String(),
	}
	again := []string{s.Argument(t)}
	if version := cmp.Or(label.Version(s.Label), v.Postgres); version != "" {
		again = append([]string{"--postgres", version}, again...)
	}
	f.Again = command(v.Program, again)
	text := t.Output
	for _, sub := range t.Subtests {
		text += "\n" + sub.Output
	}
	for _, kept := range gotest.KeptURLs(text) {
		f.addPsql(kept)
	}
	for _, dump := range gotest.Dumps(text) {
		f.addDump(s, dump)
	}
	for _, c := range s.Cells {
		if c.Test == t.Name || strings.HasPrefix(c.Test, t.Name+"/") && t.Name != "" {
			if c.Kept != "" && gotest.Reachable(c.Kept) {
				f.addPsql(c.Kept)
			}
			if c.Dump != "" {
				f.addDump(s, c.Dump)
			}
		}
	}
	if s.Log != "" {
		f.Log, f.LogPath = fileURL(s.Log), s.Log
	}
	return f
}

func (f *failure) addPsql(cell string) {
	if line := "psql '" + cell + "'"; !slices.Contains(f.Psql, line) {
		f.Psql = append(f.Psql, line)
	}
}

// addDump links a dump: a file among the test's outputs, or the zip file that these are packed into.
func (f *failure) addDump(s *results.Shard, name string) {
	path := name
	if !filepath.IsAbs(name) {
		path = s.Outputs
		if path == "" {
			return
		}
		if !strings.HasSuffix(path, ".zip") {
			path = filepath.Join(path, filepath.FromSlash(name))
		}
	}
	l := link{filepath.Base(name), fileURL(path)}
	if strings.HasSuffix(path, ".zip") {
		l.Text = name + " in outputs.zip"
	}
	if !slices.Contains(f.Dumps, l) {
		f.Dumps = append(f.Dumps, l)
	}
}

func fileURL(path string) template.URL {
	return template.URL((&url.URL{Scheme: "file", Path: path}).String())
}
