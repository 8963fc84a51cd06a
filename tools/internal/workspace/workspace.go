// Package workspace finds the user's Bazel workspace and its settings, and turns paths in it into Bazel's target
// patterns.
package workspace

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/pgcell/pgcell/tools/internal/cli"
)

// Workspace is a Bazel workspace and the place in it that paths are relative to.
type Workspace struct {
	Root string // absolute
	Cwd  string // absolute; the user's working directory
}

// Find gives the workspace that "bazel run" or run_tests.sh names in Bazel's own variables; without these, the
// innermost one around the working directory.
func Find(p *cli.Process) (*Workspace, error) {
	cwd := p.Getenv("BUILD_WORKING_DIRECTORY")
	if cwd == "" {
		var err error
		if cwd, err = os.Getwd(); err != nil {
			return nil, cli.Usage("find the working directory: %w", err)
		}
	}
	if root := p.Getenv("BUILD_WORKSPACE_DIRECTORY"); root != "" {
		return &Workspace{Root: root, Cwd: cwd}, nil
	}
	for dir := cwd; ; dir = filepath.Dir(dir) {
		if IsRoot(dir) {
			return &Workspace{Root: dir, Cwd: cwd}, nil
		}
		if dir == filepath.Dir(dir) {
			return nil, cli.Usage("find the workspace: neither %s nor a directory above it has a MODULE.bazel: "+
				"this command needs a Bazel workspace; without Bazel, use go test or pgcell exec", cwd)
		}
	}
}

// IsRoot reports whether a directory is the root of a workspace.
func IsRoot(dir string) bool {
	return Exists(dir, "MODULE.bazel", "WORKSPACE", "WORKSPACE.bazel", "REPO.bazel")
}

// Exists reports whether dir has one of the files.
func Exists(dir string, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		info, err := os.Stat(filepath.Join(dir, name))
		return err == nil && info.Mode().IsRegular()
	})
}
