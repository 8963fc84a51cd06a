// Package gc is "pgcell gc": it lists and removes what killed runs left.
package gc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/external"
	"github.com/pgcell/pgcell/tools/internal/held"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/serial"
)

const long = `List and remove what killed runs left behind:

  - directories of servers whose test process has ended; a server that still runs in one is stopped
  - servers that PGCELL_KEEP=1 or --keep has kept
  - records by which killed tests told other tests that they run
  - event files of killed runs
  - the history of workspaces that no longer exist
  - if PGCELL_SERVER names a server: databases there whose process has ended, templates unused for 7 days, and cells
    that PGCELL_KEEP=1 has kept for a day

It looks in /tmp, TMPDIR, PGCELL_SOCKET_DIR, /var/tmp and /dev/shm. Every test process removes abandoned server
directories when it starts, so you seldom need this command.`

// Leftover is something that can go.
type Leftover struct {
	Path   string
	What   string // what it is, for people
	Remove func() error
}

// runDirAge is how old the directory of a run's events is before it is taken for a killed run's.
const runDirAge = 24 * time.Hour

// Command gives "pgcell gc".
func Command(p *cli.Process) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "gc [--dry-run]",
		Short: "Remove what killed runs left",
		Long:  long,
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return Run(p, dry)
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "list, and remove nothing")
	return cmd
}

// Run removes what was left, or lists it if dry is set.
func Run(p *cli.Process, dry bool) error {
	found := Leftovers(p)
	databases, err := onServer(p.Getenv("PGCELL_SERVER"), dry)
	errs := []error{err}
	if len(found)+len(databases) == 0 && err == nil {
		fmt.Fprintln(p.Stdout, "nothing was left behind")
	}
	for _, name := range databases {
		word := "would remove"
		if !dry {
			word = "removed"
		}
		fmt.Fprintf(p.Stdout, "%s database %s (on PGCELL_SERVER, of a process that is gone, or a template that nobody uses)\n", word, name)
	}
	for _, l := range found {
		word := "would remove"
		if !dry {
			word = "removed"
			if err := l.Remove(); err != nil {
				errs = append(errs, fmt.Errorf("remove %s: %w", l.Path, err))
				continue
			}
		}
		fmt.Fprintf(p.Stdout, "%s %s (%s)\n", word, l.Path, l.What)
	}
	if err := errors.Join(errs...); err != nil {
		return &cli.Error{Code: cli.Failed, Err: err}
	}
	return nil
}

// onServer drops the databases that nobody owns on a server that others manage, or lists them if dry is set. "" is no
// server.
func onServer(url string, dry bool) ([]string, error) {
	if url == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if dry {
		return external.Abandoned(ctx, url, 0)
	}
	return external.Sweep(ctx, url, 0)
}

// Leftovers looks everywhere on this machine.
func Leftovers(p *cli.Process) []Leftover {
	var found []Leftover
	for _, parent := range serverParents(p) {
		for _, path := range held.Kept(parent) {
			found = append(found, Leftover{path, "a kept server", func() error { return held.EndKept(path) }})
		}
		for _, path := range held.Abandoned(parent) {
			found = append(found, Leftover{path, "a server's directory", func() error { return sweep(path) }})
		}
		for _, path := range serial.Abandoned(parent) {
			found = append(found, Leftover{path, "a killed test's note", func() error { return os.Remove(path) }})
		}
	}
	dirs, _ := filepath.Glob(filepath.Join(p.TempDir(), "pgcell-run-*")) // the pattern is well formed
	for _, path := range dirs {
		if info, err := os.Stat(path); err == nil && info.IsDir() && time.Since(info.ModTime()) > runDirAge {
			found = append(found, Leftover{path, "events of a killed run", func() error { return os.RemoveAll(path) }})
		}
	}
	return append(found, goneWorkspaces(p)...)
}

// sweep removes one server's directory the way that servers do.
func sweep(path string) error {
	held.Sweep(filepath.Dir(path))
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.New("it is held again, or not ours")
	}
	return nil
}

// Shared are the directories of all users in which servers make theirs: for sockets, and for data in memory and on disk.
// Tests have none, for other tests run servers there.
var Shared = []string{"/tmp", "/var/tmp", "/dev/shm"}

// serverParents are Shared, and those that the environment names.
func serverParents(p *cli.Process) []string {
	var parents []string
	for _, dir := range append(slices.Clone(Shared), p.TempDir(), p.Getenv("PGCELL_SOCKET_DIR")) {
		if dir != "" && !slices.Contains(parents, filepath.Clean(dir)) {
			parents = append(parents, filepath.Clean(dir))
		}
	}
	return parents
}

// goneWorkspaces finds histories of workspaces that are no longer there.
func goneWorkspaces(p *cli.Process) []Leftover {
	cache, err := history.CacheDir(p.Getenv)
	if err != nil {
		return nil
	}
	dirs, _ := filepath.Glob(filepath.Join(cache, "pgcell", "history", "*")) // the pattern is well formed
	var found []Leftover
	for _, dir := range dirs {
		runs, err := history.At(dir).Runs(1)
		if err != nil || len(runs) == 0 || runs[0].Workspace == "" {
			continue
		}
		if _, err := os.Stat(runs[0].Workspace); errors.Is(err, fs.ErrNotExist) {
			what := "history of " + strings.TrimSpace(runs[0].Workspace) + ", which is gone"
			found = append(found, Leftover{dir, what, func() error { return os.RemoveAll(dir) }})
		}
	}
	return found
}
