package docs_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// A configuration for CI leaves colours to Bazel, which writes none into a file, and sets nothing that "pgcell run" sets
// on the command line: Bazel prints a warning for each such flag.
func TestCIConfiguration(t *testing.T) {
	t.Parallel()
	for _, file := range []string{".bazelrc", filepath.Join("docs", "how-to", "ci.md")} {
		found := false
		for line := range strings.Lines(mustRead(t, mustTree(t), file)) {
			if name, _, _ := strings.Cut(line, " "); !strings.HasSuffix(name, ":ci") {
				continue
			}
			found = true
			for _, flag := range []string{"--color", "--test_summary", "--ui_event_filters", "--show_result"} {
				if strings.Contains(line, flag) {
					t.Errorf("%s: %q sets %s", file, strings.TrimSpace(line), flag)
				}
			}
		}
		if !found {
			t.Errorf("%s has no flags for --config=ci", file)
		}
	}
}
