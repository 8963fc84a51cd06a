package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// testSuite is a test target, as its BUILD file declares it.
type testSuite struct {
	label string
	kind  string // "go_test", "sh_test", ...
	tags  []string
	srcs  []string // labels
	tests []test   // of testsIn, once asked for
	read  bool
}

// test is a top-level test of a suite. Of a suite that is no Go test there is one, without a name.
type test struct {
	name, file string
	line       int
}

// querySuites asks Bazel for the test targets behind patterns. Of patterns that stand for many, those tagged manual are
// left out, as "bazel test" does.
func (s *session) querySuites(patterns []string) ([]*testSuite, error) {
	args := []string{"query", "--output=xml", "--noimplicit_deps", "--order_output=auto", "--curses=no",
		"--ui_event_filters=-info", "--noshow_progress", "--", "tests(set(" + strings.Join(patterns, " ") + "))"}
	if s.o.noWait {
		args = append([]string{"--noblock_for_lock"}, args...)
	}
	cmd := exec.Command(s.bazel, args...)
	filter := &messageFilter{w: s.screen.messages()}
	defer filter.flush()
	cmd.Dir, cmd.Env, cmd.Stderr = s.space.root, s.bazelEnv(s.o), filter
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == bazelLocked:
		return nil, bazelError("find the tests: another Bazel command has this workspace: try again when it has ended")
	case errors.As(err, &exit):
		return nil, usage("find the tests in %s: Bazel's message is above", strings.Join(patterns, " "))
	case err != nil:
		return nil, bazelError("find the tests: start Bazel: %w", err)
	}
	suites, err := readSuites(out)
	if err != nil {
		return nil, bazelError("find the tests: %w", err)
	}
	return slices.DeleteFunc(suites, func(t *testSuite) bool {
		return slices.Contains(t.tags, "manual") && !slices.Contains(patterns, t.label)
	}), nil
}

// readSuites reads the answer of "bazel query --output=xml".
func readSuites(b []byte) ([]*testSuite, error) {
	type value struct {
		Value string `xml:"value,attr"`
	}
	var answer struct {
		Rules []struct {
			Class string `xml:"class,attr"`
			Name  string `xml:"name,attr"`
			Lists []struct {
				Name    string  `xml:"name,attr"`
				Labels  []value `xml:"label"`
				Strings []value `xml:"string"`
			} `xml:"list"`
		} `xml:"rule"`
	}
	// Bazel declares XML 1.1, which differs in nothing that matters here and which Go's reader refuses.
	b = bytes.Replace(b, []byte(`version="1.1"`), []byte(`version="1.0"`), 1)
	if err := xml.Unmarshal(b, &answer); err != nil {
		return nil, fmt.Errorf("read Bazel's answer: %w", err)
	}
	var suites []*testSuite
	for _, rule := range answer.Rules {
		t := &testSuite{label: rule.Name, kind: rule.Class}
		for _, list := range rule.Lists {
			switch list.Name {
			case "tags":
				for _, v := range list.Strings {
					t.tags = append(t.tags, v.Value)
				}
			case "srcs":
				for _, v := range list.Labels {
					t.srcs = append(t.srcs, v.Value)
				}
			}
		}
		suites = append(suites, t)
	}
	slices.SortFunc(suites, func(a, b *testSuite) int { return strings.Compare(a.label, b.label) })
	return suites, nil
}

// pkg is the suite's folder, relative to the workspace.
func (t *testSuite) pkg() string {
	pkg, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimLeft(t.label, "@"), "//"), ":")
	return pkg
}

// target is the part of the label behind the colon.
func (t *testSuite) target() string {
	_, name, _ := strings.Cut(t.label, ":")
	return name
}

// serialOnly reports whether nothing else runs beside the suite.
func (t *testSuite) serialOnly() bool {
	return slices.Contains(t.tags, "serial_only") || slices.Contains(t.tags, "exclusive")
}

// is reports whether a word of -m holds for the suite.
func (t *testSuite) is(word string) bool {
	switch word {
	case "serial_only":
		return t.serialOnly()
	case "parallel_safe":
		return !t.serialOnly()
	}
	return slices.Contains(t.tags, word) || slices.Contains(strings.Split(t.pkg(), "/"), word)
}

// matches reports whether a word of -k holds for a test of the suite.
func (t *testSuite) matches(word string, one test) bool {
	word = strings.ToLower(word)
	return slices.ContainsFunc([]string{one.name, strings.TrimSuffix(path.Base(one.file), ".go"), t.target()},
		func(name string) bool {
			return strings.Contains(strings.ToLower(name), word)
		})
}

// testsIn reads the names of the suite's tests from its source files.
func (t *testSuite) testsIn(w *workspace) ([]test, error) {
	if t.read {
		return t.tests, nil
	}
	t.read = true
	for _, src := range t.srcs {
		pkg, name, _ := strings.Cut(strings.TrimPrefix(strings.TrimLeft(src, "@"), "//"), ":")
		if !strings.HasSuffix(name, "_test.go") || !strings.HasPrefix(strings.TrimLeft(src, "@"), "//") {
			continue
		}
		file := path.Join(pkg, name)
		found, err := testsOf(filepath.Join(w.root, filepath.FromSlash(file)), file)
		if err != nil {
			return nil, usage("read the tests of %s: %w", t.label, err)
		}
		t.tests = append(t.tests, found...)
	}
	if len(t.tests) == 0 {
		t.tests = []test{{}}
	}
	return t.tests, nil
}

var exampleOutput = regexp.MustCompile(`(?i)^//\s*(unordered )?output:`)

// testsOf reads the tests, fuzz tests and examples with an output of a Go file; a generated file that is not in the
// tree
// has none.
func testsOf(file, shown string) ([]test, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, shown, b, parser.SkipObjectResolution|parser.ParseComments)
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
			tests = append(tests, test{name, shown, files.Position(f.Pos()).Line})
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
