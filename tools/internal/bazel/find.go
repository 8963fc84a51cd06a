package bazel

import (
	"os"
	"os/exec"
	"path/filepath"

	"github.com/pgcell/pgcell/tools/internal/cli"
)

// find looks for the program that NewClient speaks of.
func find(p *cli.Process, root string) (string, error) {
	if bazel := p.Getenv("PGCELL_BAZEL"); bazel != "" {
		if _, err := exec.LookPath(bazel); err != nil {
			return "", cli.Broken("PGCELL_BAZEL: %w: name a program that can be run, or unset it", err)
		}
		return bazel, nil
	}
	for _, dir := range filepath.SplitList(p.Getenv("PATH")) {
		for _, name := range []string{"bazelisk", "bazel"} {
			if path := filepath.Join(dir, name); filepath.IsAbs(dir) && executable(path) {
				return path, nil
			}
		}
	}
	if path := filepath.Join(root, "tools", "bazel"); executable(path) {
		return path, nil
	}
	return "", cli.Broken("find Bazel: neither bazelisk nor bazel is on PATH, and %s has no tools/bazel: "+
		"install Bazelisk, or name a Bazel in PGCELL_BAZEL", root)
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}
