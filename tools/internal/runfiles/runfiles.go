// Package runfiles finds what Bazel has laid out for a test: files, and the PostgreSQL that a golden cluster was made with.
package runfiles

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/golden"
)

// Find gives the absolute path of a file by the path that rlocationpath gives. Absolute paths stay as they are.
//
// Errors: the file is not among the runfiles. The error does not name a remedy.
func Find(path string) (string, error) {
	if filepath.IsAbs(path) {
		return path, nil
	}
	for _, root := range []string{os.Getenv("RUNFILES_DIR"), os.Getenv("TEST_SRCDIR")} {
		full := filepath.Join(root, path)
		if root == "" {
			continue
		}
		if _, err := os.Stat(full); err == nil {
			return filepath.Abs(full)
		}
	}
	return "", fmt.Errorf("find %q among the runfiles in %q: not there", path, os.Getenv("TEST_SRCDIR"))
}

// Install finds the PostgreSQL that a golden cluster was made with: among the runfiles, or where it was when the cluster was
// made. If it is at neither place, or if PGCELL_POSTGRES names another one, find gives it.
//
// Errors: there is none that find knows, with the remedy.
func Install(ctx context.Context, m golden.Manifest, find func(context.Context) (binaries.Install, error)) (binaries.Install, error) {
	if os.Getenv("PGCELL_POSTGRES") != "" {
		return find(ctx)
	}
	dir := m.BinDir
	if m.RunfilesBinDir != "" {
		var err error
		if dir, err = Find(m.RunfilesBinDir); err != nil {
			return binaries.Install{}, err
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "postgres")); err == nil {
		return binaries.Install{BinDir: dir, Version: m.Postgres, Build: m.Build}, nil
	}
	install, err := find(ctx)
	if err != nil {
		return install, fmt.Errorf("it was made with PostgreSQL %v in %q, which is not on this machine. If Bazel runs the test on another "+
			"machine than it built on, choose a PostgreSQL that travels with the test: --@pgcell//tools/rules:postgres=npm, or "+
			"postgres.archive(...) in MODULE.bazel. Here: %w", m.Postgres, dir, err)
	}
	return install, nil
}
