package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/postgres"
)

const gcLong = `List and remove what killed runs left: servers' directories that nobody holds any more (a server that
still runs in one is stopped), event files of runs that were killed, and the history of workspaces that are gone.

A test that starts sweeps its servers' directories as well, so this is seldom needed.`

// leftover is something that can go.
type leftover struct {
	path, what string
	remove     func() error
}

// runDirAge is how old the directory of a run's events is before it is taken for a killed run's.
const runDirAge = 24 * time.Hour

func (p *program) gcCommand() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "gc [--dry-run]",
		Short: "Remove what killed runs left",
		Long:  gcLong,
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return p.collectGarbage(dry)
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "list, and remove nothing")
	return cmd
}

func (p *program) collectGarbage(dry bool) error {
	found := p.leftovers()
	if len(found) == 0 {
		fmt.Fprintln(p.stdout, "nothing was left behind")
	}
	var errs []error
	for _, l := range found {
		word := "would remove"
		if !dry {
			word = "removed"
			if err := l.remove(); err != nil {
				errs = append(errs, fmt.Errorf("remove %s: %w", l.path, err))
				continue
			}
		}
		fmt.Fprintf(p.stdout, "%s %s (%s)\n", word, l.path, l.what)
	}
	if err := errors.Join(errs...); err != nil {
		return &codedError{code: exitFailed, err: err, command: "pgcell gc"}
	}
	return nil
}

// leftovers looks everywhere.
func (p *program) leftovers() []leftover {
	var found []leftover
	for _, parent := range p.serverParents() {
		for _, path := range postgres.Abandoned(parent) {
			found = append(found, leftover{path, "a server's directory", func() error { return sweep(path) }})
		}
	}
	dirs, _ := filepath.Glob(filepath.Join(p.tempDir(), "pgcell-run-*")) // the pattern is well formed
	for _, path := range dirs {
		if info, err := os.Stat(path); err == nil && info.IsDir() && time.Since(info.ModTime()) > runDirAge {
			found = append(found, leftover{path, "events of a killed run", func() error { return os.RemoveAll(path) }})
		}
	}
	return append(found, p.goneWorkspaces()...)
}

// sweep removes one server's directory the way that servers do.
func sweep(path string) error {
	postgres.Sweep(filepath.Dir(path))
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.New("it is held again, or not ours")
	}
	return nil
}

// serverParents are the directories in which servers make theirs.
func (p *program) serverParents() []string {
	parents := []string{"/tmp"}
	for _, dir := range []string{p.tempDir(), "/dev/shm"} {
		if dir != parents[0] {
			parents = append(parents, dir)
		}
	}
	return parents
}

func (p *program) tempDir() string {
	if dir := p.getenv("TMPDIR"); dir != "" {
		return dir
	}
	return os.TempDir()
}

// goneWorkspaces finds histories of workspaces that are no longer there.
func (p *program) goneWorkspaces() []leftover {
	cache, err := history.CacheDir(p.getenv)
	if err != nil {
		return nil
	}
	dirs, _ := filepath.Glob(filepath.Join(cache, "pgcell", "history", "*")) // the pattern is well formed
	var found []leftover
	for _, dir := range dirs {
		runs, err := history.At(dir).Runs(1)
		if err != nil || len(runs) == 0 || runs[0].Workspace == "" {
			continue
		}
		if _, err := os.Stat(runs[0].Workspace); errors.Is(err, fs.ErrNotExist) {
			what := "history of " + strings.TrimSpace(runs[0].Workspace) + ", which is gone"
			found = append(found, leftover{dir, what, func() error { return os.RemoveAll(dir) }})
		}
	}
	return found
}
