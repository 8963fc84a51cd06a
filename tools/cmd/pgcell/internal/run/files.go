package run

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/junit"
	"github.com/pgcell/pgcell/tools/internal/page"
	"github.com/pgcell/pgcell/tools/internal/summary"
)

// writeFiles writes what --junitxml and --report ask for.
func (s *session) writeFiles(sum *summary.Summary, run *history.Run, past []*history.Run) error {
	var errs []error
	if s.o.JUnit != "" {
		err := s.writeFile(s.o.JUnit, func(w io.Writer) error { return junit.Write(w, sum.Shards) })
		errs = append(errs, err)
	}
	if s.o.Report != "" {
		err := s.writeFile(s.o.Report, func(w io.Writer) error { return page.Write(w, s.page(sum, run, past)) })
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// page gives what the HTML report tells of.
func (s *session) page(sum *summary.Summary, run *history.Run, past []*history.Run) *page.Run {
	title := "all tests of " + filepath.Base(s.space.Root)
	if len(s.o.Selection.Paths) > 0 {
		title = strings.Join(s.o.Selection.Paths, " ")
	}
	r := &page.Run{
		Title: title, Start: run.Start, Took: sum.Took, Workspace: s.space.Root,
		Program: s.RunCommand(), Args: s.o.Args, Postgres: s.onlyVersion(),
		Workers: sum.Workers.Count, Why: sum.Workers.Why,
		Verdict: sum.Verdict(), OK: run.ExitCode == cli.Passed, Counts: sum.Counts,
		Subtests: sum.Subtests,
		Shards:   sum.Shards, Past: history.Alike(run, past), FromCache: run.FromCache(),
	}
	for _, why := range sum.Reasons {
		r.Reasons = append(r.Reasons, page.Reason{Why: why.Why, Labels: why.Labels})
	}
	for _, f := range sum.Flaky {
		r.Flaky = append(r.Flaky, f.String())
	}
	return r
}

// checkFiles finds out before the run what would keep --junitxml and --report from being written after it.
func checkFiles(o *Options, cwd string) error {
	for _, file := range []struct{ flag, path string }{{"--report", o.Report}, {"--junitxml", o.JUnit}} {
		if file.path == "" {
			continue
		}
		path := file.path
		if !filepath.IsAbs(path) {
			path = filepath.Join(cwd, path)
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return cli.Usage("%s %s: it is a directory: name a file, such as %s", file.flag, file.path,
				filepath.Join(file.path, "results"+map[string]string{"--report": ".html", "--junitxml": ".xml"}[file.flag]))
		}
		if err := checkWritable(path); err != nil {
			return cli.Usage("%s %s: %w: name a file that can be written to", file.flag, file.path, err)
		}
	}
	return nil
}

// checkWritable makes the directory of a file, and the file for a moment where there is none.
func checkWritable(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	_, before := os.Lstat(path)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	if errors.Is(before, fs.ErrNotExist) {
		return errors.Join(f.Close(), os.Remove(path))
	}
	return f.Close()
}

// writeFile writes a file, relative to the user's directory, and its directories.
func (s *session) writeFile(path string, write func(io.Writer) error) error {
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.space.Cwd, path)
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
