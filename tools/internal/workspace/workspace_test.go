package workspace_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// mustTree makes empty files below a new directory; a name that ends in a slash is a directory.
func mustTree(t *testing.T, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range names {
		path := filepath.Join(root, filepath.FromSlash(name))
		dir := filepath.Dir(path)
		if strings.HasSuffix(name, "/") {
			dir = path
		}
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if dir != path {
			if err := os.WriteFile(path, nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

func TestFind(t *testing.T) {
	t.Parallel()
	root := mustTree(t, "MODULE.bazel", "a/b/")
	below := filepath.Join(root, "a", "b")
	for name, env := range map[string][]string{
		"above the working directory": {"BUILD_WORKING_DIRECTORY=" + below},
		"named":                       {"BUILD_WORKING_DIRECTORY=" + below, "BUILD_WORKSPACE_DIRECTORY=" + root},
	} {
		got, err := workspace.Find(&cli.Process{Env: env})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := (workspace.Workspace{Root: root, Cwd: below}); *got != want {
			t.Errorf("%s: Find = %+v, want %+v", name, *got, want)
		}
	}
	none := t.TempDir()
	_, err := workspace.Find(&cli.Process{Env: []string{"BUILD_WORKING_DIRECTORY=" + none}})
	if want := "find the workspace: neither " + none + " nor a directory above it has a MODULE.bazel: this command needs a Bazel " +
		"workspace; without Bazel, use go test or pgcell exec"; err == nil || err.Error() != want {
		t.Errorf("Find in no workspace = %v, want %s", err, want)
	}
}

func TestPattern(t *testing.T) {
	t.Parallel()
	root := mustTree(t, "MODULE.bazel", "tests/ddl/BUILD.bazel", "tests/ddl/x/a_test.go", "lone/a.go",
		"nested/MODULE.bazel", "nested/in/")
	w := &workspace.Workspace{Root: root, Cwd: filepath.Join(root, "tests")}
	for path, want := range map[string]string{
		"ddl": "//tests/ddl/...", "ddl/": "//tests/ddl/...", ".": "//tests/...", "..": "//...",
		"ddl/...": "//tests/ddl/...", "ddl:ddl_test": "//tests/ddl:ddl_test", "ddl/x/a_test.go": "//tests/ddl:all",
		"//x/...": "//x/...", "@other//x": "@other//x", filepath.Join(root, "tests", "ddl"): "//tests/ddl/...",
	} {
		if got, err := w.Pattern(path, false); got != want || err != nil {
			t.Errorf("Pattern(%q) = %q, %v, want %q", path, got, err, want)
		}
	}
	if got, err := w.Pattern("", true); got != "//tests/..." || err != nil {
		t.Errorf("Pattern of nothing = %q, %v, want all tests", got, err)
	}
	for path, want := range map[string]string{
		"":             "an empty path: leave it out to run all tests",
		"none":         "none: no such file or directory: give a directory, a file or a label",
		"../lone/a.go": "../lone/a.go: no BUILD.bazel beside it or above it",
		"../..":        "../..: not in the workspace " + root,
		"../nested/in": "../nested/in: nested is a workspace of its own",
	} {
		if _, err := w.Pattern(path, false); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Pattern(%q) = %v, want %s...", path, err, want)
		}
	}
}

// Without a directory tests all of the workspace is everything.
func TestEverything(t *testing.T) {
	t.Parallel()
	w := &workspace.Workspace{Root: mustTree(t, "MODULE.bazel")}
	if got := w.Everything(); got != "//..." {
		t.Errorf("Everything() = %q, want //...", got)
	}
}

func TestWithin(t *testing.T) {
	t.Parallel()
	root := mustTree(t, "MODULE.bazel", "a/b/", "ab/")
	w := &workspace.Workspace{Root: root, Cwd: root}
	all := []string{"", "a", "a/b", "ab"}
	for dirs, want := range map[string][]string{"": all, ".": all, "a": {"a", "a/b"}, "a/b ab": {"a/b", "ab"}} {
		within, err := w.Within(strings.Fields(dirs))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, pkg := range all {
			if within(pkg) {
				got = append(got, pkg)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Within(%s) differs (-want +got):\n%s", dirs, diff)
		}
	}
	if _, err := w.Within([]string{"//a:b"}); err == nil || err.Error() != "//a:b: want a directory" {
		t.Errorf("Within a label = %v", err)
	}
}

// addopts is a list, or a line that is split as a shell does.
func TestAddopts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`"-n 4  -v"`:             {"-n", "4", "-v"},
		`"-k 'a and b' \"c d\""`: {"-k", "a and b", "c d"},
		`"-k a\\ b ''"`:          {"-k", "a b", ""},
		`["-k", "a b"]`:          {"-k", "a b"},
	} {
		root := mustTree(t)
		config := "[run]\naddopts = " + text + "\nmarkers = [\"slow: takes long\", \"fast\"]\n"
		if err := os.WriteFile(filepath.Join(root, workspace.ConfigFile), []byte(config), 0o666); err != nil {
			t.Fatal(err)
		}
		c, err := workspace.ReadConfig(root)
		if err != nil {
			t.Fatalf("addopts = %s: %v", text, err)
		}
		if diff := cmp.Diff(want, []string(c.Run.Addopts)); diff != "" {
			t.Errorf("addopts = %s differs (-want +got):\n%s", text, diff)
		}
		if !c.Declares("slow") || !c.Declares("fast") || c.Declares("takes") {
			t.Errorf("Declares knows other markers than %q", c.Run.Markers)
		}
	}
}
