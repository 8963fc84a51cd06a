package e2e_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/nested"
)

// guest is a user's repository whose .bazelrc has no line for pgcell: what there is speeds this test up, or is his own.
func guest(t *testing.T, bazelrc string) string {
	t.Helper()
	dir := cloneOf(t, "smoke")
	nested.MustWrite(t, filepath.Join(dir, ".bazelrc"), "common --disk_cache=~/.cache/bazel-disk\n"+
		"common --repo_env=GO_REPOSITORY_USE_HOST_CACHE=1\nbuild --@rules_go//go/config:pure\n"+bazelrc+
		"try-import "+nested.MustTree(t)+"/.bazelrc.closednet\n")
	nested.MustWrite(t, filepath.Join(dir, "plain", "BUILD.bazel"), `load("@rules_go//go:def.bzl", "go_test")

go_test(name = "plain_test", srcs = ["plain_test.go"], tags = ["plain"])
`)
	nested.MustWrite(t, filepath.Join(dir, "plain", "plain_test.go"),
		"package plain_test\n\nimport \"testing\"\n\nfunc TestPlain(t *testing.T) { t.Log(\"a plain word\") }\n")
	return dir
}

// runIn runs "pgcell run" in a directory and has Bazel tell everything.
func runIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := pgcellIn(t, dir, append(append([]string{"run"}, args...), "--", "--ui_event_filters=info,warning,error")...)
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("pgcell run: %v\n%s", err, output)
	}
	return string(output)
}

// In a user's repository "bazel test" and "pgcell run" share every result and Bazel's analysis.
func TestGuestSharesResults(t *testing.T) {
	dir := guest(t, "")
	bazel(t, dir, "test", "//...").EnsureSuccess(t)
	for range 2 {
		output := runIn(t, dir)
		ensureLine(t, output, `^2 of 2 targets cached, `, `^not counted: passed tests of 1 target, `,
			`^4 passed, 0 failed, 0 skipped$`)
		r := bazel(t, dir, "test", "//...")
		r.EnsureOutput(t, 0, "Executed 0 out of 2 tests")
		for _, output := range []string{output, r.Output} {
			if strings.Contains(output, "discarding analysis cache") {
				t.Errorf("the command and Bazel have other flags:\n%s", output)
			}
		}
	}
}

// The user's own .bazelrc holds.
func TestGuestKeepsTheBazelrc(t *testing.T) {
	dir := guest(t, "test --test_tag_filters=plain\ntest --test_output=all\nbuild --test_env=GO_TEST_WRAP_TESTV=1\n"+
		"test:fast --test_tag_filters=-plain\n")
	output := runIn(t, dir)
	ensureLine(t, output, `^1 passed, 0 failed, 0 skipped$`, `a plain word$`)
	if got := strings.Count(output, "a plain word"); got != 1 {
		t.Errorf("a test's output is shown %d times, want once:\n%s", got, output)
	}
	cmd := pgcellIn(t, dir, "run", "--", "--config=fast")
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("pgcell run: %v\n%s", err, text)
	}
	ensureLine(t, string(text), `^4 passed, 0 failed, 0 skipped$`)
}
