package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/page"
	"github.com/pgcell/pgcell/tools/internal/results"
)

// writeFiles writes what --junitxml and --report ask for.
func (s *session) writeFiles(sum *summary, run *history.Run, past []*history.Run) error {
	var errs []error
	if s.o.junit != "" {
		err := s.writeFile(s.o.junit, func(w io.Writer) error { return results.WriteJUnit(w, sum.shards) })
		errs = append(errs, err)
	}
	if s.o.report != "" {
		err := s.writeFile(s.o.report, func(w io.Writer) error { return page.Write(w, s.page(sum, run, past)) })
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// page gives what the HTML report tells of.
func (s *session) page(sum *summary, run *history.Run, past []*history.Run) *page.Run {
	title := "all tests of " + filepath.Base(s.space.root)
	if len(s.o.paths) > 0 {
		title = strings.Join(s.o.paths, " ")
	}
	r := &page.Run{
		Title: title, Start: run.Start, Took: sum.took, Workspace: s.space.root, Args: s.o.args, Workers: sum.workers.count,
		Why: sum.workers.why, Verdict: sum.verdict(), OK: run.ExitCode == exitPassed, Counts: sum.counts,
		Subtests: sum.subtests,
		Shards:   sum.shards, Past: past, Clean: clean,
		Where: func(shard *results.Shard, t *results.Test) string {
			return strings.TrimSpace(s.print.where(shard, t).suffix())
		},
	}
	for _, why := range sum.reasons {
		r.Reasons = append(r.Reasons, page.Reason{Why: why.why, Labels: why.labels})
	}
	for _, f := range sum.flaky {
		r.Flaky = append(r.Flaky, f.String())
	}
	return r
}

// writeFile writes a file, relative to the user's directory, and its directories.
func (s *session) writeFile(path string, write func(io.Writer) error) error {
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.space.cwd, path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	w := bufio.NewWriter(f)
	if err := errors.Join(write(w), w.Flush(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
