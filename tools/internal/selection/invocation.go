package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// invocation is what one call of Bazel tests.
type invocation struct {
	patterns []string // Bazel's target patterns
	names    []string // tests to run, "TestA" or "TestA/sub"; all when empty
	derived  bool     // the names were found in source files, not written by the user: one may be missing
}

// filter gives the value of --test_filter: regular expressions for Go's -test.run, separated by
// commas, which is where rules_go splits them.
func (i *invocation) filter() string {
	var all []string
	for _, name := range i.names {
		var elements []string
		for _, element := range strings.Split(name, "/") {
			quoted := strings.ReplaceAll(regexp.QuoteMeta(element), ",", ".")
			elements = append(elements, "^"+quoted+"$")
		}
		all = append(all, strings.Join(elements, "/"))
	}
	return strings.Join(all, ",")
}

// workspace is a Bazel workspace and the place in it that paths are relative to.
type workspace struct {
	root string // absolute
	cwd  string // absolute; the user's working directory
}

// findWorkspace takes Bazel's own variables where "bazel run" or run_tests.sh set them, else looks
// upward from the working directory.
func (p *program) findWorkspace() (*workspace, error) {
	cwd := p.getenv("BUILD_WORKING_DIRECTORY")
	if cwd == "" {
		var err error
		if cwd, err = os.Getwd(); err != nil {
			return nil, usage("find the working directory: %w", err)
		}
	}
	if root := p.getenv("BUILD_WORKSPACE_DIRECTORY"); root != "" {
		return &workspace{root: root, cwd: cwd}, nil
	}
	for dir := cwd; ; dir = filepath.Dir(dir) {
		if isWorkspace(dir) {
			return &workspace{root: dir, cwd: cwd}, nil
		}
		if dir == filepath.Dir(dir) {
			return nil, usage("find the workspace: neither %s nor a directory above it has a MODULE.bazel: "+
				"run this inside the repository", cwd)
		}
	}
}

func isWorkspace(dir string) bool {
	return exists(dir, "MODULE.bazel", "WORKSPACE", "WORKSPACE.bazel", "REPO.bazel")
}

// exists reports whether dir has one of the files.
func exists(dir string, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		info, err := os.Stat(filepath.Join(dir, name))
		return err == nil && info.Mode().IsRegular()
	})
}

// plan turns the arguments into calls of Bazel: one for all whole paths, and one more for each set
// of test names, since a filter holds for a whole call.
func (w *workspace) plan(o *options) ([]invocation, error) {
	if o.all {
		return []invocation{{patterns: []string{"//..."}}}, nil
	}
	paths := o.paths
	if len(paths) == 0 {
		if paths = o.config.Run.Testpaths; len(paths) == 0 {
			return []invocation{{patterns: []string{w.everything()}}}, nil
		}
		w = &workspace{root: w.root, cwd: w.root}
	}
	var whole invocation
	var named []invocation
	for _, argument := range paths {
		path, name, hasName := strings.Cut(argument, "::")
		pattern, err := w.pattern(path, hasName)
		if err != nil {
			return nil, err
		}
		if !hasName {
			whole.patterns = append(whole.patterns, pattern)
			continue
		}
		if name, err = testName(argument, name); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(named, func(n invocation) bool { return n.patterns[0] == pattern })
		if i < 0 {
			named = append(named, invocation{patterns: []string{pattern}, names: []string{name}})
		} else if !slices.Contains(named[i].names, name) {
			named[i].names = append(named[i].names, name)
		}
	}
	if len(whole.patterns) > 0 {
		return append([]invocation{whole}, named...), nil
	}
	return named, nil
}

// testName brings a name into the form in which Go reports it.
func testName(argument, name string) (string, error) {
	name = strings.ReplaceAll(name, "::", "/")
	name = strings.Trim(strings.ReplaceAll(name, " ", "_"), "/")
	if name == "" {
		return "", usage("%s: no test name after \"::\": write path::TestName, or the path alone", argument)
	}
	return name, nil
}

// everything is the pattern of a run without paths.
func (w *workspace) everything() string {
	if info, err := os.Stat(filepath.Join(w.root, "tests")); err == nil && info.IsDir() {
		return "//tests/..."
	}
	return "//..."
}

// pattern turns a path of the command line into a target pattern.
func (w *workspace) pattern(path string, mayBeEmpty bool) (string, error) {
	if path == "" && mayBeEmpty {
		return w.everything(), nil
	}
	if path == "" {
		return "", usage("an empty path: leave it out to run all tests")
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
		dir = filepath.Join(w.cwd, dir)
	}
	info, err := os.Stat(dir)
	if err != nil {
		var reason *fs.PathError
		if errors.As(err, &reason) {
			err = reason.Err
		}
		return "", usage("%s: %w: give a directory, a file or a label such as //tests/..., "+
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
func (w *workspace) packageOf(path, dir string) (string, error) {
	for d := dir; ; d = filepath.Dir(d) {
		if exists(d, "BUILD.bazel", "BUILD") {
			return d, nil
		}
		if d == w.root || d == filepath.Dir(d) {
			return "", usage("%s: no BUILD.bazel beside it or above it: "+
				"it belongs to no package; \"bazel run //:gazelle\" writes one for Go tests", path)
		}
	}
}

// relative gives dir relative to the workspace, with slashes; "" for the workspace itself.
func (w *workspace) relative(path, dir string) (string, error) {
	relative, err := filepath.Rel(w.root, dir)
	if err != nil || relative == ".." || strings.HasPrefix(relative, "../") {
		return "", usage("%s: not in the workspace %s: give a path inside it", path, w.root)
	}
	for d := dir; d != w.root; d = filepath.Dir(d) {
		if isWorkspace(d) {
			nested, _ := filepath.Rel(w.root, d)
			return "", usage("%s: %s is a workspace of its own: run the test target that covers it, "+
				"or --all, or call Bazel there", path, nested)
		}
	}
	if relative == "." {
		return "", nil
	}
	return filepath.ToSlash(relative), nil
}
