package doctor_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/doctor"
	"github.com/pgcell/pgcell/tools/internal/cli"
)

// Each check gives one line. A directory without Bazel is nothing bad.
func TestRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bazel"), []byte("#!/bin/sh\necho bazel 7.7.1\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	for env, want := range map[string]struct {
		code int
		line string
	}{
		"BUILD_WORKSPACE_DIRECTORY=" + dir: {cli.Passed, "ok    Bazel: bazel 7.7.1, " + filepath.Join(dir, "bazel")},
		"BUILD_WORKING_DIRECTORY=" + dir:   {cli.Passed, "none  Bazel: no MODULE.bazel here or above: \"go test\" runs"},
	} {
		var out strings.Builder
		p := &cli.Process{Stdout: &out, Env: []string{env, "BUILD_WORKING_DIRECTORY=" + dir, "PATH=" + dir + ":/usr/bin:/bin",
			"XDG_CACHE_HOME=" + filepath.Join(dir, "cache"), "TMPDIR=" + dir}}
		if got := cli.Report(&out, "pgcell doctor", doctor.Run(context.Background(), p)); got != want.code {
			t.Errorf("%s: exit code %d, want %d:\n%s", env, got, want.code, out.String())
		}
		if !strings.Contains(out.String(), want.line) {
			t.Errorf("%s: output lacks %q:\n%s", env, want.line, out.String())
		}
		for _, check := range []string{"Bazel", "PostgreSQL", "storage", "user namespaces", "limits", "cache", "leftovers"} {
			if !regexp.MustCompile(`(?m)^(ok|slow|none|bad) +` + check + `: `).MatchString(out.String()) {
				t.Errorf("%s: no line on %s:\n%s", env, check, out.String())
			}
		}
	}
}
