// Package closednet_test runs tools/bazel and the scripts beside it on made-up machines: a PATH of its own, on which
// Bazel, Go, curl, apt-get and dpkg-deb are small scripts of the test. Nothing is downloaded or installed.
//
// Not its goal: to prove that the root works; every build on a machine without internet does.
package closednet_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// programs are all that the scripts need of a machine, until they make a root.
var programs = []string{
	"bash", "cat", "chmod", "cp", "env", "find", "flock", "grep", "head", "id", "ls", "mkdir", "mv", "printf",
	"ln", "readlink", "rm", "sed", "sha256sum", "sleep", "sort", "stat", "tail", "timeout", "touch", "xargs",
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:       "testdata",
		Setup:     setup,
		Condition: condition,
	})
}

// condition adds [root] to testscript's conditions: the script runs as root.
func condition(name string) (bool, error) {
	return name == "root" && os.Geteuid() == 0, nil
}

// setup lays a workspace with the scripts at ws, the machine's programs at base, and an environment that names neither
// the real home nor the real PATH. The script's own programs go to bin.
func setup(env *testscript.Env) error {
	scripts, err := filepath.Glob("*.sh")
	if err != nil {
		return err
	}
	for _, from := range append(scripts, "setup", "buildifier", "shellcheck", "unpack", "../bazel", "../../MODULE.bazel",
		"coverage/main.go", "coverage/report.go") {
		if err := copyFile(from, filepath.Join(env.WorkDir, "ws/tools/closednet", from)); err != nil {
			return err
		}
	}
	for _, dir := range []string{"base", "bin", "home"} {
		if err := os.MkdirAll(filepath.Join(env.WorkDir, dir), 0o777); err != nil {
			return err
		}
	}
	for _, name := range programs {
		path, err := exec.LookPath(name)
		if err != nil {
			return err
		}
		if err := os.Symlink(path, filepath.Join(env.WorkDir, "base", name)); err != nil {
			return err
		}
	}
	if err := makeExecutable(env.WorkDir); err != nil {
		return err
	}
	env.Vars = []string{
		"WORK=" + env.WorkDir,
		"PATH=" + filepath.Join(env.WorkDir, "bin") + ":" + filepath.Join(env.WorkDir, "base"),
		"HOME=" + filepath.Join(env.WorkDir, "home"),
		"cache=" + filepath.Join(env.WorkDir, "home/.cache/pgcell/closednet"),
		"PGCELL_NETWORK=closed",
		"PGCELL_DEBIAN_RULES=" + filepath.Join(env.WorkDir, "no-rules"),
		"PGCELL_OS_RELEASE=" + filepath.Join(env.WorkDir, "os-release"),
		"PGCELL_ROOT_MARK=" + filepath.Join(env.WorkDir, "no-root"),
	}
	return nil
}

// makeExecutable gives the run bits to the files of the script that begin with "#!".
func makeExecutable(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(content, []byte("#!")) {
			return err
		}
		return os.Chmod(path, 0o755)
	})
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o755)
}
