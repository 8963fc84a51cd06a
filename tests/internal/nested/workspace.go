package nested

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/source"
)

// MustTree gives the root of the source tree.
func MustTree(t *testing.T) string {
	t.Helper()
	tree, err := source.Tree()
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// Workspace gives the directory of a workspace that lies below tests/e2e.
func Workspace(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(MustTree(t), "tests", "e2e", name)
}

// MustClone copies the workspace name, which lies below tests/e2e, to dir, where it may be changed. What dir held is gone.
// The copy depends on pgcell in the source tree, as the original does.
func MustClone(t *testing.T, name, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	from, tree := Workspace(t, name), MustTree(t)
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err == nil {
			// The way to the source tree is another one from there.
			text := strings.ReplaceAll(MustRead(t, path), "../../..", tree)
			text = strings.ReplaceAll(text, "%workspace%/"+tree, tree)
			MustWrite(t, filepath.Join(dir, relative), text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// HasPostgres tells whether this machine has a PostgreSQL as Debian packages it.
func HasPostgres() bool {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // the pattern is well formed
	return len(found) > 0
}

// MustRead reads a file.
func MustRead(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// MustWrite writes a file, which everybody may execute, and the directories that it lies in.
func MustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
