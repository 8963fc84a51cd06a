package bazel_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/cli"
)

// mustProgram makes an executable file and gives its path.
func mustProgram(t *testing.T, elem ...string) string {
	t.Helper()
	path := filepath.Join(elem...)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	return path
}

// PGCELL_BAZEL goes first, then PATH, then tools/bazel.
func TestNewClient(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	named, own := mustProgram(t, dir, "named"), mustProgram(t, dir, "root", "tools", "bazel")
	bazelisk := mustProgram(t, dir, "path", "bazelisk")
	mustProgram(t, dir, "path", "bazel")
	path := "PATH=relative:" + filepath.Join(dir, "empty") + ":" + filepath.Join(dir, "path")
	for want, env := range map[string][]string{
		named: {"PGCELL_BAZEL=" + named, path}, bazelisk: {path}, own: {"PATH=" + dir},
	} {
		env = append(env, "BUILD_WORKING_DIRECTORY=/x", "BUILD_WORKSPACE_DIRECTORY=/y")
		c, err := bazel.NewClient(&cli.Process{Env: env}, filepath.Join(dir, "root"))
		if err != nil {
			t.Fatal(err)
		}
		if c.Program != want {
			t.Errorf("with %q: %s, want %s", env, c.Program, want)
		}
		if slices.ContainsFunc(c.Env, func(e string) bool { return strings.HasPrefix(e, "BUILD_") }) {
			t.Errorf("Bazel hears of what bazel run set: %q", c.Env)
		}
	}
	for want, env := range map[string][]string{
		"find Bazel: neither bazelisk nor bazel is on PATH, and " + dir + " has no tools/bazel: install Bazelisk, or name a " +
			"Bazel in PGCELL_BAZEL": {"PATH="},
		`PGCELL_BAZEL: exec: "/none": stat /none: no such file or directory: name a program that can be run, or unset it`: {
			"PGCELL_BAZEL=/none"},
	} {
		if _, err := bazel.NewClient(&cli.Process{Env: env}, dir); err == nil || err.Error() != want {
			t.Errorf("NewClient = %v, want %s", err, want)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	c := mustClient(t, "echo starting; echo bazel 7.7.1")
	c.NoWait = false
	if got, err := c.Version(context.Background()); got != "bazel 7.7.1" || err != nil {
		t.Errorf("Version() = %q, %v", got, err)
	}
	c = mustClient(t, "exit 3")
	if _, err := c.Version(context.Background()); err == nil || err.Error() != c.Program+" --version: exit status 3" {
		t.Errorf("Version() of a broken Bazel = %v", err)
	}
}

// An interrupt reaches Bazel, and its exit code comes back.
func TestProcess(t *testing.T) {
	t.Parallel()
	var messages strings.Builder
	c := mustClient(t, "trap 'echo stopping >&2; exit 8' INT; echo ready > ready; while :; do sleep 0.02; done")
	p, err := c.Start([]string{"test"}, &messages)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(c.Root, "ready")); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("Bazel did not start within 2 minutes")
		}
	}
	if p.Interrupted() {
		t.Error("Interrupted() before Interrupt()")
	}
	p.Interrupt()
	<-p.Done
	if p.ExitCode() != 8 || !p.Interrupted() || messages.String() != "stopping\n" {
		t.Errorf("exit code %d, interrupted %v, messages %q, want 8, true, stopping", p.ExitCode(), p.Interrupted(),
			messages.String())
	}
}

// Messages leaves out what says nothing, says who holds the lock, and hands lines of progress over.
func TestMessages(t *testing.T) {
	t.Parallel()
	var out, progress strings.Builder
	m := &bazel.Messages{To: &out, Progress: func(line string) { progress.WriteString(line + "\n") }}
	for _, part := range []string{
		"INFO: \nLoad", "ing: 0 packages loaded\nWARNING: odd\nWARNING: odd\n[1 / 2] GoCompile\n",
		"Another command (pid=42) is running. Waiting for it to complete on the server...\n",
		"FAILED: //a:a (Summary)\n      /x/test.log\nERROR: last",
	} {
		if _, err := m.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	m.Flush()
	want := "WARNING: odd\nanother Bazel command (PID 42) runs in this workspace; waiting for it to end\nERROR: last\n"
	if out.String() != want {
		t.Errorf("messages are %q, want %q", out.String(), want)
	}
	if progress.String() != "[1 / 2] GoCompile\n" {
		t.Errorf("progress is %q", progress.String())
	}
}

// Where the remote cache is down, Bazel warns of each call, in several lines. The first warning passes, as one line.
func TestMessagesOfTheRemoteCache(t *testing.T) {
	t.Parallel()
	const (
		rest     = "; further warnings of the cache are left out\n"
		download = "WARNING: Remote Cache: Download of '/ac/d419' timed out."
		bulk     = "WARNING: Remote Cache: 2 errors during bulk transfer:"
		upload   = "com.google.devtools.build.lib.remote.http.UploadTimeoutException: Upload of '/cas/45eb' timed out.\n"
		page     = "WARNING: Remote Cache: 500 Internal Server Error\n<!DOCTYPE html>\n<p>Sorry\n</html>\n"
	)
	for in, want := range map[string]string{
		download + "\n" + bulk + "\n" + upload + upload + "INFO: last\n": download + rest + "INFO: last\n",
		"(06:20:51) " + bulk + "\n" + upload + upload + "ERROR: last\n": "" +
			"(06:20:51) " + bulk + " Upload of '/cas/45eb' timed out." + rest + "ERROR: last\n",
		page + "WARNING: Remote Cache: gone\nWARNING: odd\n": "" +
			"WARNING: Remote Cache: 500 Internal Server Error" + rest + "WARNING: odd\n",
		bulk + "\nERROR: last\n": bulk + rest + "ERROR: last\n",
	} {
		var out strings.Builder
		m := &bazel.Messages{To: &out}
		if _, err := m.Write([]byte(in)); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("messages of\n%s\nare\n%s\nwant\n%s", in, out.String(), want)
		}
	}
}
