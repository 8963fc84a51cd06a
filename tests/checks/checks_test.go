// Package checks_test runs linters and the race detector on the source tree, one test for each. Linters written in Go
// are pinned in tools/go.mod, which no other module requires. A check whose program cannot be had on this machine is
// skipped with the reason.
//
// No test is parallel: each program takes all cores.
package checks_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/source"
)

// program runs a program in a directory of the source tree; the paths that are given to it start at the tree.
func program(t *testing.T, dir, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = filepath.Join(mustTree(t), dir)
	// What looks at Go code sees the files that the tests are built from. The race detector needs cgo and sets it.
	cmd.Env = append(source.Environ(), "CGO_ENABLED=0")
	return cmd
}

// ensureSilent asserts that a linter ends with 0 and has nothing to say.
func ensureSilent(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	output, err := cmd.CombinedOutput()
	if err != nil || len(bytes.TrimSpace(output)) > 0 {
		t.Errorf("%s, in %s: %v\n%s", strings.Join(shortened(cmd.Args), " "), cmd.Dir, err, output)
	}
}

// shortened leaves the middle of a long list of arguments out.
func shortened(args []string) []string {
	if len(args) <= 8 {
		return args
	}
	return slices.Concat(args[:6], []string{"..."}, args[len(args)-1:])
}

func mustTree(t *testing.T) string {
	t.Helper()
	tree, err := source.Tree()
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// sources lists the files of the source tree that a check is for, by path from the tree's root. It does not ask git: in
// the root of tools/closednet a worktree has no repository. Directories that begin with a dot are left out, but for
// those that hold files of ours.
func sources(t *testing.T, wanted func(path string, content []byte) bool) []string {
	t.Helper()
	tree := mustTree(t)
	var found []string
	err := filepath.WalkDir(tree, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		hidden := strings.HasPrefix(name, ".") && name != ".github" && name != ".ci" && name != ".bcr"
		switch {
		case entry.IsDir() && hidden && path != tree:
			return filepath.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(tree, path)
		if err == nil && wanted(relative, content) {
			found = append(found, relative)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatalf("no file of %s is one to check", tree)
	}
	return found
}

func hasExtension(extensions ...string) func(string, []byte) bool {
	return func(path string, _ []byte) bool { return slices.Contains(extensions, filepath.Ext(path)) }
}

// modules are the directories of the tree's Go modules whose code is ours. Nested workspaces of tests/e2e are such too.
func modules(t *testing.T) []string {
	t.Helper()
	var dirs []string
	for _, file := range sources(t, func(path string, _ []byte) bool { return filepath.Base(path) == "go.mod" }) {
		if dir := filepath.Dir(file); dir != toolsDir && dir != "tests/e2e/failing_migration" { // which has no Go code
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// The module that pins the linters.
const toolsDir = "tests/checks/tools"

var fetchTools = sync.OnceValue(func() error {
	tree, err := source.Tree()
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "mod", "download")
	cmd.Dir, cmd.Env = filepath.Join(tree, toolsDir), append(source.Environ(), "GOFLAGS=")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fetch the modules of %s: %w: %s", toolsDir, err, output)
	}
	return nil
})

// mustTool builds a pinned linter.
func mustTool(t *testing.T, path string) string {
	t.Helper()
	if err := fetchTools(); err != nil {
		t.Skip(err)
	}
	binary := filepath.Join(t.TempDir(), filepath.Base(path))
	cmd := program(t, toolsDir, "go", "build", "-o", binary, path)
	cmd.Env = append(cmd.Env, "GOFLAGS=-mod=readonly")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", path, err, output)
	}
	return binary
}

// mustRun gives the path of a script of tools/closednet that fetches the program of its name.
func mustRun(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(mustTree(t), "tools", "closednet", name)
	if output, err := program(t, ".", path, "--version").CombinedOutput(); err != nil {
		t.Skipf("%s: %v: %s", name, err, output)
	}
	return path
}

func TestGofmt(t *testing.T) {
	ensureSilent(t, program(t, ".", "gofmt", append([]string{"-l", "-s"}, sources(t, hasExtension(".go"))...)...))
}

func TestVet(t *testing.T) {
	for _, dir := range modules(t) {
		t.Run(dir, func(t *testing.T) { ensureSilent(t, program(t, dir, "go", "vet", "./...")) })
	}
}

func TestStaticcheck(t *testing.T) {
	staticcheck := mustTool(t, "honnef.co/go/tools/cmd/staticcheck")
	for _, dir := range modules(t) {
		t.Run(dir, func(t *testing.T) { ensureSilent(t, program(t, dir, staticcheck, "./...")) })
	}
}

func TestBuildifier(t *testing.T) {
	files := sources(t, hasExtension(".bazel", ".bzl", ".BUILD"))
	ensureSilent(t, program(t, ".", mustRun(t, "buildifier"), append([]string{"-mode=check", "-lint=warn"}, files...)...))
}

func TestShellcheck(t *testing.T) {
	scripts := sources(t, func(path string, content []byte) bool {
		first, _, _ := bytes.Cut(content, []byte("\n"))
		return filepath.Ext(path) == ".sh" || bytes.HasPrefix(first, []byte("#!")) && bytes.HasSuffix(first, []byte("sh"))
	})
	ensureSilent(t, program(t, ".", mustRun(t, "shellcheck"), append([]string{"-x"}, scripts...)...))
}

func TestActionlint(t *testing.T) {
	actionlint := mustTool(t, "github.com/rhysd/actionlint/cmd/actionlint")
	workflows := sources(t, func(path string, _ []byte) bool { return filepath.Dir(path) == ".github/workflows" })
	args := append([]string{"-shellcheck", mustRun(t, "shellcheck"), "-pyflakes="}, workflows...)
	ensureSilent(t, program(t, ".", actionlint, args...))
}
