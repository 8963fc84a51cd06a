package selection_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/selection"
)

const withSubtests = `package a
import ("testing"; "github.com/stretchr/testify/suite"; "github.com/pgcell/pgcell/tools/pgcell"
	"example.com/x/storetest"; "github.com/stretchr/testify/require")
func TestLiteral(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	for range 2 {
		t.Run("first row", func(t *testing.T) { t.Run("deep", nil) })
	}
	t.Run("second", helper)
	require.NoError(t, nil)
	t.Cleanup(func() { t.Log(cell) })
}
func TestOne(t *testing.T)     {}
func TestNone(t *testing.T)    { t.Log("x") }
func TestTable(t *testing.T)   { for _, c := range cases { t.Run(c.name, nil) } }
func TestHelped(t *testing.T)  { helper(t) }
func TestSuite(t *testing.T)   { suite.Run(t, new(rows)) }
func TestClosure(t *testing.T) { pgcell.Each(t, func() {}) }
func TestOthers(t *testing.T)  { storetest.Check(t, new(rows)) }
func TestStored(t *testing.T)  { s := rows{t}; s.run() }
`

// Names of the command line are looked for in sources before Bazel builds anything; what sources do not tell for sure is
// no error.
func TestNames(t *testing.T) {
	t.Parallel()
	s := mustSelector(t, selection.Options{})
	if err := os.WriteFile(filepath.Join(s.Space.Root, "a", "a_test.go"), []byte(withSubtests), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ pattern, name, want string }{
		{"//a:all", "TestOne", ""},
		{"//a:a_test", "TestOen", "no test TestOen in //a:a_test: the nearest names are TestOne, TestNone, TestTwo; names are matched whole, and case counts"},
		{"//...", "TestTwo", ""},
		{"//...", "Testtwo", "no test Testtwo in //...: the nearest names are TestTwo, TestOne, TestNone; names are matched whole, and case counts"},
		{"//a:all", "TestLiteral/first_row", ""},
		{"//a:all", "TestLiteral/first_row/anything", ""},
		{"//a:all", "TestLiteral/first_row#01", ""},
		{"//a:all", "TestLiteral/secnod", "no subtest secnod of TestLiteral in //a:all: there are second, first_row"},
		{"//a:all", "TestLiteral/deep", "no subtest deep of TestLiteral in //a:all: there are second, first_row"},
		{"//a:all", "TestNone/x", "no subtest x of TestNone in //a:all: there is none"},
		{"//a:all", "TestTable/x", ""},
		{"//a:all", "TestHelped/x", ""},
		{"//a:all", "TestSuite/x", ""},
		{"//a:all", "TestClosure/x", ""},
		{"//a:all", "TestOthers/x", ""},
		{"//a:all", "TestStored/x", ""},
	} {
		plan := []selection.Invocation{{Patterns: []string{c.pattern}, Names: []string{c.name}}}
		_, _, err := s.Narrow(plan)
		var coded *cli.Error
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s::%s: %v, want no error", c.pattern, c.name, err)
		case c.want != "" && (err == nil || err.Error() != c.want || !errors.As(err, &coded) || coded.Code != cli.NoTests):
			t.Errorf("%s::%s: %v, want %s", c.pattern, c.name, err, c.want)
		}
	}
}

// A test may be declared in a library that the suite embeds, directly or through another, in a file of any name.
func TestNamesInEmbeddedLibraries(t *testing.T) {
	t.Parallel()
	s := mustSelector(t, selection.Options{})
	const answer = `<query>
<rule class="go_test" name="//a:a_test"><list name="srcs"><label value="//a:a_test.go"/></list>
  <list name="embed"><label value="//lib:lib"/></list></rule>
<rule class="go_library" name="//lib:lib"><list name="srcs"><label value="//lib:lib.go"/></list>
  <list name="embed"><label value="//deep:deep"/></list></rule>
<rule class="go_library" name="//deep:deep"><list name="srcs"><label value="//deep:deep.go"/></list></rule>
</query>`
	for name, text := range map[string]string{
		"lib/lib.go":   "package a\nimport \"testing\"\nfunc TestLibrary(t *testing.T) {}\n",
		"deep/deep.go": "package a\nimport \"testing\"\nfunc TestDeep(t *testing.T) {}\n",
	} {
		file := filepath.Join(s.Space.Root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(s.Bazel.Program, []byte("#!/bin/sh\ncat <<'E'\n"+answer+"\nE\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"TestOne":     "",
		"TestLibrary": "",
		"TestDeep":    "",
		"TestDepe": "no test TestDepe in //a:a_test: the nearest names are TestDeep, TestOne, TestSame; " +
			"names are matched whole, and case counts",
	} {
		_, _, err := s.Narrow([]selection.Invocation{{Patterns: []string{"//a:a_test"}, Names: []string{name}}})
		if (want == "") != (err == nil) || err != nil && err.Error() != want {
			t.Errorf("//a:a_test::%s: %v, want %q", name, err, want)
		}
	}

	// -k finds them, too.
	s.Keyword = mustParse(t, "deep")
	plan, _, err := s.Narrow([]selection.Invocation{suites("//a:a_test")})
	if err != nil || len(plan) != 1 || !slices.Equal(plan[0].Names, []string{"TestDeep"}) {
		t.Errorf("-k deep: %v, %v, want TestDeep of //a:a_test", plan, err)
	}
}

// The tests of one version's test are those of the go_test that it runs.
func TestNamesOfVersions(t *testing.T) {
	t.Parallel()
	s := mustSelector(t, selection.Options{})
	const answer = `<query version="2">
<rule class="go_test" name="//a:_a_test_go"><list name="tags"><string value="manual"/></list>
  <list name="srcs"><label value="//a:a_test.go"/></list></rule>
<rule class="pg_go_version_test" name="//a:a_test_15"><list name="embed"><label value="//a:_a_test_go"/></list></rule>
<rule class="pg_go_version_test" name="//a:a_test_18"><list name="embed"><label value="//a:_a_test_go"/></list></rule>
</query>`
	if err := os.WriteFile(s.Bazel.Program, []byte("#!/bin/sh\ncat <<'E'\n"+answer+"\nE\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	const want = "no test TestNowhere in //a:a_test: there are TestOne, TestSame; names are matched whole, and case counts"
	_, _, err := s.Narrow([]selection.Invocation{{Patterns: []string{"//a:a_test"}, Names: []string{"TestNowhere"}}})
	if err == nil || err.Error() != want {
		t.Errorf("//a:a_test::TestNowhere: %v, want %s", err, want)
	}
	s.Keyword = mustParse(t, "a_test_18 and one")
	plan, _, err := s.Narrow([]selection.Invocation{suites("//a:a_test")})
	if err != nil || len(plan) != 1 || !slices.Equal(plan[0].Patterns, []string{"//a:a_test_18"}) ||
		!slices.Equal(plan[0].Names, []string{"TestOne"}) {
		t.Errorf("-k: %v, %v, want TestOne of //a:a_test_18", plan, err)
	}
}

// Where the sources do not tell all, Bazel does: a suite of another rule, a generated source, a query that fails.
func TestNamesThatNobodyKnows(t *testing.T) {
	t.Parallel()
	for answer, program := range map[string]string{
		"another rule":                               `echo '<query><rule class="py_test" name="//a:a_test"><list name="srcs"><label value="//a:a_test.go"/></list></rule></query>'`,
		"generated":                                  `echo '<query><rule class="go_test" name="//a:a_test"><list name="srcs"><label value="//a:made_test.go"/></list></rule></query>'`,
		"an embedded target of another rule":         `echo '<query><rule class="go_test" name="//a:a_test"><list name="srcs"><label value="//a:a_test.go"/></list><list name="embed"><label value="//a:made"/></list></rule><rule class="suite_library" name="//a:made"/></query>'`,
		"an embedded target that the query left out": `echo '<query><rule class="go_test" name="//a:a_test"><list name="srcs"><label value="//a:a_test.go"/></list><list name="embed"><label value="@@x//a:lib"/></list></rule></query>'`,
		"no sources":                                 `echo '<query><rule class="go_test" name="//a:a_test"/></query>'`,
		"nothing":                                    `echo '<query></query>'`,
		"a refused query":                            `exit 7`,
		"no program at all":                          `exit 127`,
	} {
		s := mustSelector(t, selection.Options{})
		if err := os.WriteFile(s.Bazel.Program, []byte("#!/bin/sh\n"+program+"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
		plan := []selection.Invocation{{Patterns: []string{"//a:a_test"}, Names: []string{"TestNowhere"}}}
		if _, _, err := s.Narrow(plan); err != nil {
			t.Errorf("%s: %v, want no error", answer, err)
		}
	}
}
