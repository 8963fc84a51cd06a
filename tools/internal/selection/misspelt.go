package selection

import (
	"cmp"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// checkNames finds names of the command line that no test has, before anything is built for them. It says nothing where
// sources do not tell for sure: Bazel then runs what there is, and the run says which names had no result.
func (s *Selector) checkNames(plan []Invocation) error {
	for _, inv := range plan {
		if len(inv.Names) == 0 || inv.Derived {
			continue
		}
		if checkAll(inPackage(s.Space, inv.Patterns[0]), &inv) == nil {
			continue
		}
		if tests, sure := s.ofSuites(inv.Patterns); sure {
			if err := checkAll(tests, &inv); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkAll looks for all names of a call of Bazel among tests.
func checkAll(tests []test, inv *Invocation) error {
	for _, name := range inv.Names {
		if err := checkName(tests, name, inv.Patterns[0]); err != nil {
			return err
		}
	}
	return nil
}

// inPackage reads the tests in a pattern's directory, without asking Bazel. They may belong to any suite there, and there
// may be more below.
func inPackage(w *workspace.Workspace, pattern string) []test {
	if !strings.HasPrefix(pattern, "//") { // of another repository
		return nil
	}
	dir, _, _ := strings.Cut(strings.TrimPrefix(pattern, "//"), ":")
	dir = strings.TrimSuffix(strings.TrimSuffix(dir, "..."), "/")
	entries, _ := os.ReadDir(filepath.Join(w.Root, filepath.FromSlash(dir))) // Bazel says what is wrong with it
	var tests []test
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), "_test.go") {
			file := path.Join(dir, e.Name())
			found, _ := testsOf(filepath.Join(w.Root, filepath.FromSlash(file)), file) // the compiler does, too
			tests = append(tests, found...)
		}
	}
	return tests
}

// ofSuites gives the tests of the suites behind patterns. It is not sure of them where the query fails, or where a suite
// may have tests that are not in its source files: other rules than go_test, generated sources.
func (s *Selector) ofSuites(patterns []string) (tests []test, sure bool) {
	quiet := *s
	quiet.Messages = io.Discard
	suites, err := quiet.suites(patterns)
	if err != nil {
		return nil, false
	}
	for _, t := range suites {
		if t.Kind == "sh_test" {
			continue
		}
		found, err := t.testsIn(s.Space)
		if err != nil || !t.IsGoTest() || t.unknown || len(t.sources) == 0 || slices.ContainsFunc(t.sources, s.generated) {
			return nil, false
		}
		tests = append(tests, slices.DeleteFunc(slices.Clone(found), func(one test) bool { return one.name == "" })...)
	}
	return tests, len(tests) > 0
}

// generated reports whether a label is that of no file in the tree.
func (s *Selector) generated(label string) bool {
	pkg, name, _ := strings.Cut(strings.TrimPrefix(strings.TrimLeft(label, "@"), "//"), ":")
	return !workspace.Exists(filepath.Join(s.Space.Root, filepath.FromSlash(pkg)), filepath.FromSlash(name))
}

// checkName looks for a name, "TestA" or "TestA/sub", among tests.
func checkName(tests []test, name, where string) error {
	top, rest, isSub := strings.Cut(name, "/")
	sub, _, _ := strings.Cut(rest, "/")
	var names, subs []string
	found := false
	for _, t := range tests {
		names = append(names, t.name)
		if t.name != top {
			continue
		}
		if !isSub || !t.subsKnown || slices.Contains(t.subs, strings.SplitN(sub, "#", 2)[0]) {
			return nil
		}
		found, subs = true, append(subs, t.subs...)
	}
	if found {
		return &cli.Error{Code: cli.NoTests, Err: cli.Usage("no subtest %s of %s in %s: %s", sub, top, where, nearest(sub, subs))}
	}
	return &cli.Error{Code: cli.NoTests, Err: cli.Usage("no test %s in %s: %s; names are matched whole, and case counts", top,
		where, nearest(top, names))}
}

// nearestNames is how many names a message offers.
const nearestNames = 3

// nearest names those of some names that are most like one, for a message.
func nearest(name string, names []string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	switch len(names) {
	case 0:
		return "there is none"
	case 1:
		return "there is " + names[0]
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(distance(name, a), distance(name, b)) })
	shown := names[:min(len(names), nearestNames)]
	if len(names) == len(shown) {
		return "there are " + strings.Join(shown, ", ")
	}
	return "the nearest names are " + strings.Join(shown, ", ")
}

// distance is how many letters are to be put in, taken out or changed to make one name of another; case is a fourth of a
// letter.
func distance(a, b string) int {
	const letter = 4
	before := make([]int, len(b)+1)
	for j := range before {
		before[j] = letter * j
	}
	for i := range len(a) {
		row := []int{letter * (i + 1)}
		for j := range len(b) {
			change := letter
			switch {
			case a[i] == b[j]:
				change = 0
			case strings.EqualFold(a[i:i+1], b[j:j+1]):
				change = 1
			}
			row = append(row, min(before[j]+change, before[j+1]+letter, row[j]+letter))
		}
		before = row
	}
	return before[len(b)]
}
