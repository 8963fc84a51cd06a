package nested

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/source"
)

// BuildCommand builds the command from the source tree into the directory dir, and gives its path.
func BuildCommand(dir string) (string, error) {
	tree, err := source.Tree()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "pgcell")
	build := exec.Command("go", "build", "-o", path, "./tools/cmd/pgcell")
	build.Dir, build.Env = tree, append(source.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the command: %w: %s", err, output)
	}
	return path, nil
}

// MustScript writes a shell script that is this Bazel, for PGCELL_BAZEL, and gives its path. It keeps the home and the
// caches of this Bazel, whatever home the caller has.
func (b Bazel) MustScript(t *testing.T, path string) string {
	t.Helper()
	startup, err := b.startup()
	if err != nil {
		t.Fatal(err)
	}
	env, err := b.environ()
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]string{"HOME": "", "XDG_CACHE_HOME": ""}
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		if _, ok := kept[name]; ok {
			kept[name] = value
		}
	}
	MustWrite(t, path, fmt.Sprintf("#!/bin/sh\nexec env 'HOME=%s' 'XDG_CACHE_HOME=%s' '%s/tools/bazel' '%s' \"$@\"\n",
		kept["HOME"], kept["XDG_CACHE_HOME"], MustTree(t), strings.Join(startup, "' '")))
	return path
}

// Command is a call of the command, which BuildCommand built, in a directory, not started yet. bazel is the Bazel that it
// calls: a path that MustScript gave.
func (b Bazel) Command(t *testing.T, command, bazel, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(command, args...)
	env, err := b.environ()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Dir, cmd.Env = dir, append(env, "PGCELL_BAZEL="+bazel)
	cmd.SysProcAttr = b.Attr
	return cmd
}
