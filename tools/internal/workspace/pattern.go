package workspace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/cli"
)

// Everything is the pattern of a run without paths.
func (w *Workspace) Everything() string {
	if info, err := os.Stat(filepath.Join(w.Root, "tests")); err == nil && info.IsDir() {
		return "//tests/..."
	}
	return "//..."
}

// Pattern turns a path of the command line into a target pattern.
func (w *Workspace) Pattern(path string, mayBeEmpty bool) (string, error) {
	if path == "" && mayBeEmpty {
		return w.Everything(), nil
	}
	if path == "" {
		return "", cli.Usage("an empty path: leave it out to run all tests")
	}
	if strings.HasPrefix(path, "//") || strings.HasPrefix(path, "@") {
		return path, nil
	}
	dir, rest := path, ""
	if at := strings.IndexByte(path, ':'); at >= 0 {
		dir, rest = path[:at], path[at:]
	} else if trimmed, ok := strings.CutSuffix(path, "..."); ok {
		dir = trimmed
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(w.Cwd, dir)
	}
	info, err := os.Stat(dir)
	if err != nil {
		var reason *fs.PathError
		if errors.As(err, &reason) {
			err = reason.Err
		}
		return "", cli.Usage("%s: %w: give a directory, a file or a label such as //tests/..., "+
			"or leave it out to run all tests", path, err)
	}
	if !info.IsDir() {
		if dir, err = w.packageOf(path, filepath.Dir(dir)); err != nil {
			return "", err
		}
		rest = ":all"
	}
	relative, err := w.relative(path, dir)
	if err != nil {
		return "", err
	}
	if rest != "" {
		return "//" + relative + rest, nil
	}
	return strings.TrimSuffix("//"+relative, "/") + "/...", nil
}

// packageOf gives the directory of the Bazel package that dir belongs to.
func (w *Workspace) packageOf(path, dir string) (string, error) {
	for d := dir; ; d = filepath.Dir(d) {
		if Exists(d, "BUILD.bazel", "BUILD") {
			return d, nil
		}
		if d == w.Root || d == filepath.Dir(d) {
			return "", cli.Usage("%s: no BUILD.bazel beside it or above it: "+
				"it belongs to no package; \"bazel run //:gazelle\" writes one for Go tests", path)
		}
	}
}

// relative gives dir relative to the workspace, with slashes; "" for the workspace itself.
func (w *Workspace) relative(path, dir string) (string, error) {
	relative, err := filepath.Rel(w.Root, dir)
	if err != nil || relative == ".." || strings.HasPrefix(relative, "../") {
		return "", cli.Usage("%s: not in the workspace %s: give a path inside it", path, w.Root)
	}
	for d := dir; d != w.Root; d = filepath.Dir(d) {
		if IsRoot(d) {
			nested, _ := filepath.Rel(w.Root, d)
			return "", cli.Usage("%s: %s is a workspace of its own: run the test target that covers it, "+
				"or --all, or call Bazel there", path, nested)
		}
	}
	if relative == "." {
		return "", nil
	}
	return filepath.ToSlash(relative), nil
}

// Within gives a test for packages in some directories of the command line, or below; without any it is true of all.
func (w *Workspace) Within(dirs []string) (func(pkg string) bool, error) {
	var prefixes []string
	for _, dir := range dirs {
		pattern, err := w.Pattern(dir, false)
		if err != nil {
			return nil, err
		}
		path, below := strings.CutSuffix(pattern, "/...")
		if !below || !strings.HasPrefix(path, "/") {
			return nil, cli.Usage("%s: want a directory", dir)
		}
		prefixes = append(prefixes, strings.TrimLeft(path, "/"))
	}
	return func(pkg string) bool {
		return len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(prefix string) bool {
			return prefix == "" || pkg == prefix || strings.HasPrefix(pkg, prefix+"/")
		})
	}, nil
}
