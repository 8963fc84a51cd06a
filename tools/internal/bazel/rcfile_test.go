package bazel_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/bazel"
)

func TestConfigured(t *testing.T) {
	t.Parallel()
	root, home := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{
		filepath.Join(root, ".bazelrc"): `# build --jobs=1
build --jobs=10 \
  --disk_cache="~/a cache"
run --remote_executor=grpc://run
build:remote --config=base --jobs 50 # many
test:base --remote_executor=grpc://base
test:circle --config=circle
build:off --remote_executor=
import %workspace%/more.bazelrc
try-import absent.bazelrc
`,
		filepath.Join(root, "more.bazelrc"): "common --color=no\ntry-import %workspace%/.bazelrc\n",
		filepath.Join(home, ".bazelrc"):     "test --color=yes\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := &bazel.Client{Root: root, Env: []string{"HOME=" + home}}
	mentioned := c.Mentioned()
	for flag, want := range map[string]bool{
		"--jobs=10": true, "--remote_executor=grpc://base": true, "--color=no": true, "--color=yes": true,
		"--jobs=1": false, "--remote_executor=grpc://run": false,
	} {
		if got := slices.Contains(mentioned, flag); got != want {
			t.Errorf("Mentioned() = %q: has %s: %v, want %v", mentioned, flag, got, want)
		}
	}
	for _, one := range []struct {
		flags                    []string
		executor, jobs, color, x string
	}{
		{nil, "", "10", "yes", ""},
		{[]string{"--config=remote"}, "grpc://base", "50", "yes", ""},
		{[]string{"--config", "remote", "--jobs=7", "--x=y=z"}, "grpc://base", "7", "yes", "y=z"},
		{[]string{"--config=remote", "--config=off"}, "", "50", "yes", ""},
		{[]string{"--config=circle", "--config=unknown", "--remote_executor=grpc://here"}, "grpc://here", "10", "yes", ""},
	} {
		got := c.Configured(one.flags)
		for name, want := range map[string]string{"remote_executor": one.executor, "jobs": one.jobs, "color": one.color, "x": one.x,
			"disk_cache": "~/a cache"} {
			if got[name] != want {
				t.Errorf("with %q, --%s is %q, want %q", one.flags, name, got[name], want)
			}
		}
	}
}
