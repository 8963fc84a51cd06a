package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tests/internal/source"
)

// One Bazel call, a first one with everything to fetch and compile included.
const callTimeout = 20 * time.Minute

// result is what one call of Bazel did.
type result struct {
	code   int
	output string // both streams
	shards []shard
}

// shard is one process of one test, of the last attempt.
type shard struct {
	label    string
	number   int // from 1; 1 too for a test without shards
	status   string
	cached   bool
	strategy string // linux-sandbox, ...
	log      string
}

// logs joins the logs of all shards of a test.
func (r result) logs(label string) string {
	var all strings.Builder
	for _, s := range r.shards {
		if s.label == label {
			all.WriteString(s.log)
		}
	}
	return all.String()
}

// ensureSuccess ends the test, with Bazel's output, where Bazel failed.
func (r result) ensureSuccess(t *testing.T) {
	t.Helper()
	if r.code != 0 {
		t.Fatalf("bazel ended with %d, want 0:\n%s", r.code, r.output)
	}
}

// ensureOutput asserts an exit code and parts of the output.
func (r result) ensureOutput(t *testing.T, code int, parts ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("bazel ended with %d, want %d:\n%s", r.code, code, r.output)
	}
	for _, part := range parts {
		if !strings.Contains(r.output, part) {
			t.Errorf("Bazel's output lacks %q:\n%s", part, r.output)
		}
	}
}

// bazel runs Bazel in the workspace dir. All workspaces share one output base, so that what one of them fetched serves
// the others: hence no test here is parallel.
func bazel(t *testing.T, dir, command string, args ...string) result {
	t.Helper()
	return bazelIn(t, nil, dir, command, args...)
}

// bazelIn is bazel with more variables in the environment, as NAME=VALUE.
func bazelIn(t *testing.T, env []string, dir, command string, args ...string) result {
	t.Helper()
	events := filepath.Join(t.TempDir(), "events.json")
	all := []string{command}
	switch command {
	case "build", "coverage", "run", "test":
		all = append(all, "--build_event_json_file="+events, "--experimental_convenience_symlinks=ignore",
			"--color=no", "--curses=no", "--noshow_progress")
	}
	r, err := runBazel(env, dir, append(all, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	r.shards = readShards(t, events)
	return r
}

func runBazel(env []string, dir string, args ...string) (result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	tree, err := source.Tree()
	if err != nil {
		return result{}, err
	}
	base, err := outputBase(tree)
	if err != nil {
		return result{}, err
	}
	// Should this test be killed, the server does not stay for hours.
	startup := []string{"--output_base=" + base, "--max_idle_secs=60"}
	cmd := exec.CommandContext(ctx, filepath.Join(tree, "tools", "bazel"), append(startup, args...)...)
	cmd.Dir = dir
	cmd.Env = append(source.Environ(), env...)
	// As Ctrl-C does: the server stops the build, and the client waits for it.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		return result{}, fmt.Errorf("run %v: %w", cmd.Args, err)
	}
	return result{code: cmd.ProcessState.ExitCode(), output: output.String()}, nil
}

func mustSourceTree(t *testing.T) string {
	t.Helper()
	tree, err := source.Tree()
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// workspace gives the directory of a nested workspace.
func workspace(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(mustSourceTree(t), "tests", "e2e", name)
}

// outputBase is kept between runs, one for each source tree, for what is in it: fetched modules and Gazelle.
func outputBase(tree string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place for Bazel's output base: %w; set HOME", err)
	}
	sum := sha256.Sum256([]byte(tree))
	return filepath.Join(cache, "pgcell", "e2e", fmt.Sprintf("%x", sum[:4])), nil
}

// event is the part of the Build Event Protocol that is of interest here.
type event struct {
	ID struct {
		TestResult *struct {
			Label string `json:"label"`
			Shard int    `json:"shard"`
		} `json:"testResult"`
	} `json:"id"`
	TestResult struct {
		Status           string `json:"status"`
		CachedLocally    bool   `json:"cachedLocally"`
		TestActionOutput []struct {
			Name string `json:"name"`
			URI  string `json:"uri"`
		} `json:"testActionOutput"`
		ExecutionInfo struct {
			Strategy       string `json:"strategy"`
			CachedRemotely bool   `json:"cachedRemotely"`
		} `json:"executionInfo"`
	} `json:"testResult"`
}

// readShards reads the test results of an event file; none where Bazel wrote no such file.
func readShards(t *testing.T, path string) []shard {
	t.Helper()
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var shards []shard
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("read build event %q: %v", lines.Text(), err)
		}
		if id := e.ID.TestResult; id != nil {
			shards = append(shards, shard{
				label: id.Label, number: id.Shard, status: e.TestResult.Status,
				strategy: e.TestResult.ExecutionInfo.Strategy,
				cached:   e.TestResult.CachedLocally || e.TestResult.ExecutionInfo.CachedRemotely,
				log:      readLog(t, e),
			})
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return shards
}

func readLog(t *testing.T, e event) string {
	t.Helper()
	for _, output := range e.TestResult.TestActionOutput {
		if output.Name != "test.log" {
			continue
		}
		u, err := url.Parse(output.URI)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(u.Path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	return ""
}
