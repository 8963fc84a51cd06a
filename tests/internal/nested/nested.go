// Package nested runs Bazel and pgcell in workspaces of their own, as a user's repository would be.
//
// Goals: each test of a package plays a user, or another machine of his: with another output base, home, user or
// environment; what a run did is read from files that Bazel writes for programs (build events, the log of spawns), not from
// its messages. Non-goals: what a run should have done; servers that a run talks to.
//
// The functions find the source tree as package source does: the caller's directory holds a BUILD.bazel, which is among
// its test's data.
package nested

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tests/internal/source"
)

// CallTimeout is for one call of Bazel, a first one with everything to fetch and compile included.
const CallTimeout = 20 * time.Minute

// Bazel calls tools/bazel. The zero value does so as the user who runs the tests, with an output base that all callers of
// one source tree share.
type Bazel struct {
	// OutputBase is the directory of Bazel's server and of all that it writes; empty for DefaultOutputBase. Calls with the
	// same one wait for each other.
	OutputBase string
	// Home is HOME of the call; empty for the user's own. The caches of tools/bazel, of Go's modules and of Go's builds
	// stay the user's, so that another home does not fetch everything again: Bazel's actions see none of them.
	Home string
	// Env is added to the environment, as NAME=VALUE.
	Env []string
	// MaxIdle is how long Bazel's server waits for another call before it ends; 0 for a minute.
	MaxIdle time.Duration
	// Attr is how the process is started: a user namespace makes it another user's. Nil for no difference.
	Attr *syscall.SysProcAttr
	// LogSpawns has Run ask Bazel for the log of spawns, and give Result.Spawns. It makes a call with much to do slower.
	LogSpawns bool
}

// DefaultOutputBase is kept between runs, one for each source tree, for what is in it: fetched modules and Gazelle.
func DefaultOutputBase() (string, error) {
	tree, err := source.Tree()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place for Bazel's output base: %w; set HOME", err)
	}
	sum := sha256.Sum256([]byte(tree))
	return filepath.Join(cache, "pgcell", "e2e", fmt.Sprintf("%x", sum[:4])), nil
}

// Run runs a command in the workspace dir. Of build, coverage, run and test it reads what happened. It ends the test where
// Bazel cannot be started; a failed build is a Result.
func (b Bazel) Run(t *testing.T, dir, command string, args ...string) Result {
	t.Helper()
	record := t.TempDir()
	events, spawns := filepath.Join(record, "events.json"), filepath.Join(record, "spawns.json")
	all := []string{command}
	switch command {
	case "build", "coverage", "run", "test":
		all = append(all, "--build_event_json_file="+events, "--experimental_convenience_symlinks=ignore",
			"--color=no", "--curses=no", "--noshow_progress")
		if b.LogSpawns {
			all = append(all, "--execution_log_json_file="+spawns)
		}
	}
	r, err := b.Call(dir, append(all, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	r.Shards = readShards(t, events)
	r.Spawns = ReadSpawns(t, spawns)
	return r
}

// Call calls Bazel in the directory dir with these arguments and no more.
func (b Bazel) Call(dir string, args ...string) (Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), CallTimeout)
	defer cancel()
	tree, err := source.Tree()
	if err != nil {
		return Result{}, err
	}
	startup, err := b.startup()
	if err != nil {
		return Result{}, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(tree, "tools", "bazel"), append(startup, args...)...)
	cmd.Dir = dir
	if cmd.Env, err = b.environ(); err != nil {
		return Result{}, err
	}
	cmd.SysProcAttr = b.Attr
	// As Ctrl-C does: the server stops the build, and the client waits for it.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	start := time.Now()
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		return Result{}, fmt.Errorf("run %v: %w", cmd.Args, err)
	}
	return Result{Code: cmd.ProcessState.ExitCode(), Output: output.String(), Took: time.Since(start)}, nil
}

// Shutdown ends the server of this output base. dir is any workspace.
func (b Bazel) Shutdown(dir string) error {
	r, err := b.Call(dir, "shutdown")
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("bazel shutdown ended with %d: %s", r.Code, r.Output)
	}
	return err
}

// startup gives Bazel's startup options.
func (b Bazel) startup() ([]string, error) {
	base := b.OutputBase
	if base == "" {
		var err error
		if base, err = DefaultOutputBase(); err != nil {
			return nil, err
		}
	}
	idle := b.MaxIdle
	if idle == 0 {
		idle = time.Minute
	}
	// Should the test be killed, the server does not stay for hours.
	return []string{"--output_base=" + base, fmt.Sprintf("--max_idle_secs=%.0f", idle.Seconds())}, nil
}

// environ gives the environment of a call.
func (b Bazel) environ() ([]string, error) {
	env := source.Environ()
	if b.Home != "" {
		caches, err := userCaches()
		if err != nil {
			return nil, err
		}
		env = append(append(env, "HOME="+b.Home), caches...)
	}
	return append(env, b.Env...), nil
}

// userCaches gives the variables that lead to the user's caches from another home.
var userCaches = sync.OnceValues(func() ([]string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find the user's caches: %w; set HOME", err)
	}
	env := []string{"XDG_CACHE_HOME=" + cache}
	names := []string{"GOCACHE", "GOMODCACHE"}
	goEnv := exec.Command("go", append([]string{"env"}, names...)...)
	goEnv.Env = source.Environ()
	out, err := goEnv.Output()
	if err != nil { // a machine without Go has no such caches
		return env, nil
	}
	for i, value := range strings.Fields(string(out)) {
		env = append(env, names[i]+"="+value)
	}
	return env, nil
})
