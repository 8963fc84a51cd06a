package run

import (
	"fmt"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/label"
	"github.com/pgcell/pgcell/tools/internal/summary"
)

// summarise prints what is left to say, writes the files that were asked for and gives the exit code.
func (s *session) summarise(calls []*call) int {
	sum := s.sum(calls)
	code := cli.Passed
	var why []string
	for _, c := range calls {
		v := s.verdict(c)
		if text := s.explain(c, v); text != "" {
			if version := s.version(&c.Invocation); version != "" {
				text = "PostgreSQL " + version + ": " + text
			}
			why = append(why, text)
		}
		if code == cli.Passed || v != cli.Passed && v != cli.Failed {
			code = v
		}
	}
	s.print.Sections(sum)
	for _, text := range why {
		s.print.Line("%s", text)
	}
	for _, inv := range s.left {
		names := ""
		if len(inv.Names) > 0 {
			names = fmt.Sprintf(" (%s)", strings.Join(inv.Names, ", "))
		}
		s.print.Line("not started: %s%s", label.Versioned(strings.Join(inv.Patterns, " "), s.version(&inv)), names)
	}
	run := s.record(calls, sum, code)
	past := s.past()
	if err := s.save(run); err != nil {
		s.print.Line("pgcell run: %v: set XDG_CACHE_HOME to a directory that can be written to", err)
	}
	s.keepExecutions(calls)
	if err := s.writeFiles(sum, run, past); err != nil {
		fmt.Fprintf(s.Stderr, "pgcell run: %v\n", err)
		if code == cli.Passed {
			code = cli.BuildFailed
		}
	}
	s.print.Closing(sum)
	return code
}

// sum adds up the calls' results.
func (s *session) sum(calls []*call) *summary.Summary {
	forced := ""
	switch {
	case s.o.Stress > 0:
		forced = "--stress"
	case s.o.NoCache:
		forced = "--no-cache"
	}
	var all []summary.Call
	for _, c := range calls {
		all = append(all, summary.Call{Run: c.run, Filter: c.Filter()})
	}
	failed := s.last
	if len(s.o.Postgres) < 2 {
		failed = s.lastFailed(s.onlyVersion())
	}
	sum := summary.New(all, summary.Past{Known: s.known, Failed: failed}, forced)
	sum.Took, sum.Workers = s.Now().Sub(s.start), s.workers
	return sum
}
