package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/report"
)

// writeFiles writes what --junitxml and --report ask for.
func (s *session) writeFiles(sum *summary, run *history.Run, past []*history.Run) error {
	var errs []error
	if s.o.junit != "" {
		err := s.writeFile(s.o.junit, func(w io.Writer) error { return report.WriteJUnit(w, sum.shards) })
		errs = append(errs, err)
	}
	return errors.Join(errs...)
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
