// Command exec runs a test of any language on databases of its own, under Bazel: it is what "bazel test --run_under" names,
// and the executable of the rule pg_test.
//
// The rules write a file beside it, by the program's name with ".json" added, that says which template and variables the
// test has: see [config]. It is a program of its own, so that a change to the pgcell command runs nobody's tests again.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/cache"
	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/child"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/held"
	"github.com/pgcell/pgcell/tools/internal/lend"
	"github.com/pgcell/pgcell/tools/internal/runfiles"
	"github.com/pgcell/pgcell/tools/internal/source"
)

func main() {
	if filepath.Base(os.Args[0]) == child.WatchName {
		os.Exit(child.Watch(os.Args[1:], os.Stdin, nil))
	}
	os.Exit(run(os.Args, os.Environ(), os.Stderr))
}

// failed is the exit code where the test could not be run.
const failed = 125

// run runs the test and gives its exit code. args are the program's own; environ is as in os.Environ.
func run(args, environ []string, stderr io.Writer) int {
	say := func(text string) { fmt.Fprintln(stderr, "pgcell:", text) }
	c, err := readConfig(args[0] + configSuffix)
	if err == nil {
		var command []string
		if command, err = c.command(args[1:]); err == nil {
			var code int
			if code, err = c.run(command, environ, say); err == nil {
				return code
			}
		}
	}
	say(err.Error())
	return failed
}

// run runs the test. Errors: it could not be started.
func (c config) run(command, environ []string, warn func(string)) (code int, err error) {
	template, err := runfiles.Find(c.Template)
	if err != nil {
		return 0, err
	}
	parent := cache.SocketParent()
	if parent == "" {
		parent = "/tmp"
	}
	held.Sweep(parent)
	dir, err := held.Make(parent)
	if err != nil {
		return 0, err
	}
	defer dir.Remove()
	mark := lend.DirVariable + "=" + dir.Path()
	watcher, err := child.StartWatcher(dir.Path(), mark)
	if err != nil {
		return 0, fmt.Errorf("start a process that cleans up if this one is killed: %w", err)
	}
	defer watcher.Dismiss()
	server := source.Template{Golden: template, Password: rand.Text(), Warn: warn}
	broker, err := lend.Open(lend.Config{
		Dir: dir.Path(), Start: func(ctx context.Context) (*cells.Cluster, error) { return start(ctx, server) },
		Password: server.Password, Variables: c.Variables, Worker: worker(), Warn: warn,
	})
	if err != nil {
		return 0, err
	}
	defer broker.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = broker.Environ(environ), os.Stdin, os.Stdout, os.Stderr
	if code, err = child.Run(cmd, mark, cmd.Start, broker.Command); err != nil {
		return 0, fmt.Errorf("run %s: %w", command[0], err)
	}
	return code, nil
}

// start starts the server with the PostgreSQL that the template was made with.
func start(ctx context.Context, t source.Template) (*cells.Cluster, error) {
	m, err := golden.ReadManifest(t.Golden)
	if err != nil {
		return nil, err
	}
	t.Install, err = runfiles.Install(ctx, m, func(ctx context.Context) (binaries.Install, error) {
		return binaries.Find(ctx, binaries.DefaultSearch(os.Getenv))
	})
	if err != nil {
		return nil, fmt.Errorf("start golden cluster %q: %w", t.Golden, err)
	}
	return t.Start(ctx)
}

// worker is the name of the shard; "" without shards.
func worker() string {
	if index := os.Getenv("TEST_SHARD_INDEX"); index != "" {
		return "w" + index
	}
	return ""
}
