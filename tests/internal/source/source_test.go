package source_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tests/internal/source"
)

func TestTree(t *testing.T) {
	t.Parallel()
	dir, err := source.Tree()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "run_tests.sh")); err != nil {
		t.Errorf("Tree() = %s, want the directory of run_tests.sh: %v", dir, err)
	}
}

// Not parallel: it sets variables.
func TestEnvironIsWhatBazelInherits(t *testing.T) {
	text, err := os.ReadFile("source.bzl")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, match := range regexp.MustCompile(`(?m)^    "(\w+)",$`).FindAllStringSubmatch(string(text), -1) {
		want = append(want, match[1])
		t.Setenv(match[1], "set")
	}
	t.Setenv("TEST_TMPDIR", "set")
	for _, variable := range source.Environ() {
		got = append(got, strings.TrimSuffix(variable, "=set"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Environ() and ENV_INHERIT of source.bzl differ (-bzl +go):\n%s", diff)
	}
}
