package selection

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// suite is a test target and its tests.
type suite struct {
	*bazel.Rule
	sources []string // labels of its sources, those of embedded libraries included
	unknown bool     // something is embedded whose sources are not known
	tests   []test   // of testsIn, once asked for
	read    bool
}

// newSuite gives the suite of a rule. The libraries that it embeds are among all.
func newSuite(rule *bazel.Rule, all []*bazel.Rule) *suite {
	t := &suite{Rule: rule}
	t.take(rule, all)
	return t
}

// take adds the sources of a rule and of what it embeds. Bazel has no cycles.
func (t *suite) take(rule *bazel.Rule, all []*bazel.Rule) {
	t.sources = append(t.sources, rule.Srcs...)
	for _, label := range rule.Embed {
		i := slices.IndexFunc(all, func(r *bazel.Rule) bool { return r.Label == label })
		if i < 0 || all[i].Kind != "go_library" && all[i].Kind != "go_source" && !all[i].IsGoTest() {
			t.unknown = true
			continue
		}
		t.take(all[i], all)
	}
}

// test is a top-level test of a suite. Of a suite that is no Go test there is one, without a name.
type test struct {
	name, file string
	subs       []string // direct subtests
	subsKnown  bool     // there are no others
}

// serialOnly reports whether nothing else runs beside the suite.
func (t *suite) serialOnly() bool {
	return t.HasTag("serial_only") || t.HasTag("exclusive") || t.HasTag("exclusive-if-local")
}

// is reports whether a word of -m holds for the suite.
func (t *suite) is(word string) bool {
	switch word {
	case "serial_only":
		return t.serialOnly()
	case "parallel_safe":
		return !t.serialOnly()
	}
	return t.HasTag(word) || slices.Contains(strings.Split(t.Package(), "/"), word)
}

// matches reports whether a word of -k holds for a test of the suite.
func (t *suite) matches(word string, one test) bool {
	word = strings.ToLower(word)
	return slices.ContainsFunc([]string{one.name, strings.TrimSuffix(path.Base(one.file), ".go"), t.Name()},
		func(name string) bool {
			return strings.Contains(strings.ToLower(name), word)
		})
}

// testsIn reads the names of the suite's tests from its source files.
func (t *suite) testsIn(w *workspace.Workspace) ([]test, error) {
	if t.read {
		return t.tests, nil
	}
	t.read = true
	for _, src := range t.sources {
		pkg, name, _ := strings.Cut(strings.TrimPrefix(strings.TrimLeft(src, "@"), "//"), ":")
		if !strings.HasSuffix(name, ".go") || !strings.HasPrefix(strings.TrimLeft(src, "@"), "//") {
			continue
		}
		file := path.Join(pkg, name)
		found, err := testsOf(filepath.Join(w.Root, filepath.FromSlash(file)), file)
		if err != nil {
			return nil, cli.Usage("read the tests of %s: %w", t.Label, err)
		}
		t.tests = append(t.tests, found...)
	}
	if len(t.tests) == 0 {
		t.tests = []test{{}}
	}
	return t.tests, nil
}

var exampleOutput = regexp.MustCompile(`(?i)^//\s*(unordered )?output:`)

// testsOf reads the tests, fuzz tests and examples with an output of a Go file. rules_go takes them from files of any
// name. A generated file that is not in the tree has none.
func testsOf(file, shown string) ([]test, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	tree, err := parser.ParseFile(token.NewFileSet(), shown, b, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var tests []test
	for _, d := range tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil {
			continue
		}
		name := f.Name.Name
		if isTestName(name, "Test") && name != "TestMain" && len(f.Type.Params.List) == 1 || isTestName(name, "Fuzz") ||
			isTestName(name, "Example") && hasOutput(tree, f) {
			one := test{name: name, file: shown}
			one.subs, one.subsKnown = subtestsOf(tree, f)
			tests = append(tests, one)
		}
	}
	return tests, nil
}

func isTestName(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	first, _ := utf8.DecodeRuneInString(rest)
	return ok && (rest == "" || !unicode.IsLower(first))
}

func hasOutput(tree *ast.File, f *ast.FuncDecl) bool {
	for _, group := range tree.Comments {
		for _, c := range group.List {
			if c.Pos() > f.Pos() && c.End() < f.End() && exampleOutput.MatchString(c.Text) {
				return true
			}
		}
	}
	return false
}
