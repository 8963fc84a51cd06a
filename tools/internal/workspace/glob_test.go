package workspace_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// TestMatch is not parallel, since it changes the working directory: patterns are relative to it.
func TestMatch(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, file := range []string{"a/1.sql", "a/b/2.sql", "a/b/3.txt", "node_modules/4.sql", "5.sql"} {
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for pattern, want := range map[string][]string{
		"a":        {"a/1.sql", "a/b/2.sql", "a/b/3.txt"},
		"a/*.sql":  {"a/1.sql"},
		"**/*.sql": {"5.sql", "a/1.sql", "a/b/2.sql"},
		"a/b/?.*":  {"a/b/2.sql", "a/b/3.txt"},

		"**/[!1-2].{sql,t*}": {"5.sql", "a/b/3.txt"},

		"x/*": nil,
	} {
		got, _ := workspace.Match(pattern) // a directory that is not there has no file
		if !slices.Equal(got, want) {
			t.Errorf("Match(%q) = %q, want %q", pattern, got, want)
		}
	}
}
