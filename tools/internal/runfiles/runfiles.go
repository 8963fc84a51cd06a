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

// Install finds the PostgreSQL that a golden cluster was made with: among the runfiles, or, if it was one of the machine, the
// same build in the same place. If PGCELL_POSTGRES names another one, find gives it.
//
// Errors: [*ElsewhereError]; it is not among the runfiles; find's.
func Install(ctx context.Context, m golden.Manifest, find func(context.Context) (binaries.Install, error)) (binaries.Install, error) {
	if named := os.Getenv("PGCELL_POSTGRES"); named != "" {
		install, err := find(ctx)
		// pgcell run --postgres DIR sets the variable for the tests, wherever they run.
		if err != nil && (m.BinDir == named || m.BinDir == filepath.Join(named, "bin")) {
			err = &ElsewhereError{BinDir: m.BinDir, Version: m.Postgres, Here: "lacks it"}
		}
		return install, err
	}
	dir := m.BinDir
	if m.RunfilesBinDir != "" {
		var err error
		if dir, err = Find(m.RunfilesBinDir); err != nil {
			return binaries.Install{}, err
		}
	}
	info, err := os.Stat(filepath.Join(dir, "postgres"))
	switch {
	case err != nil:
		return binaries.Install{}, &ElsewhereError{BinDir: dir, Version: m.Postgres, Here: "lacks it"}
	case m.RunfilesBinDir == "" && m.Size != 0 && m.Size != info.Size():
		return binaries.Install{}, &ElsewhereError{BinDir: dir, Version: m.Postgres, Here: "has another build there"}
	}
	return binaries.Install{BinDir: dir, Version: m.Postgres, Build: m.Build}, nil
}

// ElsewhereError says that a golden cluster was made with a PostgreSQL of another machine.
type ElsewhereError struct {
	BinDir  string // on that machine
	Version binaries.Version
	Here    string // what is the matter with BinDir on this machine
}

func (e *ElsewhereError) Error() string {
	return fmt.Sprintf("it was made with PostgreSQL %v in %q of the machine that Bazel runs on, and this machine %s. For tests that run "+
		"remotely, choose a PostgreSQL that is an input of the tests: --@pgcell//tools/rules:postgres=npm, or postgres.archive(...) "+
		"in MODULE.bazel", e.Version, e.BinDir, e.Here)
}
