// Package exec_test runs suites that know nothing of pgcell under "pgcell exec": each fails where its processes share one
// database, and passes where each has its own.
package exec_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tests/internal/nested"
	"github.com/pgcell/pgcell/tests/internal/source"
)

// pgcell builds the command once.
var pgcell = sync.OnceValues(func() (string, error) {
	// Bazel removes TEST_TMPDIR, even if it kills this process.
	dir, err := os.MkdirTemp(os.Getenv("TEST_TMPDIR"), "pgcell-exec-test-")
	if err != nil {
		return "", err
	}
	return nested.BuildCommand(dir)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := pgcell(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// call is one call of "pgcell exec" in a suite's directory.
type call struct {
	suite   string   // below suites, or absolute
	flags   []string // of exec
	environ []string
}

// result is what came of it.
type result struct {
	code           int
	stdout, stderr string
}

func (r result) String() string { return fmt.Sprintf("exit %d\n%s\n%s", r.code, r.stdout, r.stderr) }

// run runs a command under exec, with sockets and a cache of the test's own, and looks whether anything was left.
func (c call) run(t *testing.T, command ...string) (r result) {
	t.Helper()
	cmd, _ := c.command(t, command...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// command makes the command. dir is where its sockets are; it must be empty at the end.
func (c call) command(t *testing.T, command ...string) (cmd *exec.Cmd, dir string) {
	t.Helper()
	path, err := pgcell()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := source.Tree()
	if err != nil {
		t.Fatal(err)
	}
	dir = socketParent(t, "/tmp")
	args := slices.Concat([]string{"exec"}, c.flags, []string{"--"}, command)
	cmd = exec.CommandContext(t.Context(), path, args...)
	if cmd.Dir = c.suite; !filepath.IsAbs(c.suite) {
		cmd.Dir = filepath.Join(tree, "tests", "exec", "suites", c.suite)
	}
	cmd.Env = slices.Concat(source.Environ(), []string{"PGCELL_SOCKET_DIR=" + dir}, c.environ)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd, dir
}

// ensureEmpty waits until nothing is in a directory.
func ensureEmpty(t *testing.T, dir string) {
	t.Helper()
	if !emptied(dir, 20*time.Second) {
		left, _ := filepath.Glob(dir + "/*")
		t.Errorf("left behind: %v", left)
	}
}

func (r result) ensure(t *testing.T, code int, words ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit %d, want %d:\n%v", r.code, code, r)
		return
	}
	for _, w := range words {
		if !strings.Contains(r.stdout+r.stderr, w) {
			t.Errorf("lacks %q:\n%v", w, r)
		}
	}
}

// onOne runs a suite with all processes on one database, which is none of pgcell's, so that pgcell passes connections on.
// Tests that wait for each other's locks fail after 5 s: there are cycles of which the server sees only a part.
func onOne(t *testing.T, c call, command string) result {
	t.Helper()
	c.flags = append(slices.Clone(c.flags), "--createdb")
	return c.run(t, "sh", "-c", `psql -qc 'CREATE DATABASE shared' && psql -qc "ALTER DATABASE shared SET lock_timeout = '5s'" || exit 99
for f in migrations/*.sql; do psql -q -d shared -f "$f" || exit 99; done
export GOFLAGS= PGDATABASE=shared TEST_DB_NAME=shared TEST_DB_NAME_2=shared
export DATABASE_URL="postgres://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT/shared?sslmode=disable"
`+command)
}
