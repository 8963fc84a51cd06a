package selection_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/selection"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

const query = `<query version="2">
<rule class="go_test" name="//a:a_test"><list name="srcs"><label value="//a:a_test.go"/></list></rule>
<rule class="go_test" name="//b:b_test">
  <list name="tags"><string value="exclusive-if-local"/></list><list name="srcs"><label value="//b:b_test.go"/></list></rule>
<rule class="sh_test" name="//e:e_test"><list name="tags"><string value="e2e"/></list></rule>
<rule class="sh_test" name="//m:m_test"><list name="tags"><string value="manual"/></list></rule>
</query>`

// mustSelector makes a workspace with two suites and a Bazel that answers queries about it.
func mustSelector(t *testing.T, o selection.Options) *selection.Selector {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"bazel":       "#!/bin/sh\ncat <<'E'\n" + query + "\nE\n",
		"a/a_test.go": "package a\nimport \"testing\"\nfunc TestOne(t *testing.T) {}\nfunc TestSame(t *testing.T) {}\n",
		"b/b_test.go": "package b\nimport \"testing\"\nfunc TestTwo(t *testing.T) {}\nfunc TestSame(t *testing.T) {}\n",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	o.Config = &workspace.Config{}
	o.Run.ExcludeTags = []string{"e2e"}
	return &selection.Selector{
		Options: &o, Space: &workspace.Workspace{Root: root, Cwd: root}, Messages: io.Discard,
		Bazel: &bazel.Client{Program: filepath.Join(root, "bazel"), Root: root, Env: os.Environ()},
	}
}

// suites are a call for whole suites.
func suites(labels ...string) selection.Invocation { return selection.Invocation{Patterns: labels} }

func mustParse(t *testing.T, text string) *selection.Expression {
	t.Helper()
	e, err := selection.ParseExpression(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestNarrow(t *testing.T) {
	t.Parallel()
	all := []selection.Invocation{suites("//...")}
	failed := []history.TestID{{Label: "//b:b_test", Name: "TestTwo"}}
	for name, c := range map[string]struct {
		o    selection.Options
		want []selection.Invocation
	}{
		"nothing to narrow": {selection.Options{}, all},
		"whole suites": {selection.Options{Keyword: mustParse(t, "a_test or b_test")},
			[]selection.Invocation{suites("//a:a_test", "//b:b_test")}},
		"a part": {selection.Options{Keyword: mustParse(t, "one")},
			[]selection.Invocation{{Patterns: []string{"//a:a_test"}, Names: []string{"TestOne"}, Derived: true}}},
		"a whole and a part": {selection.Options{Keyword: mustParse(t, "one or two or (a_test and same)")},
			[]selection.Invocation{
				suites("//a:a_test"),
				{Patterns: []string{"//b:b_test"}, Names: []string{"TestTwo"}, Derived: true},
			}},
		"by tag":       {selection.Options{Markers: mustParse(t, "serial_only")}, []selection.Invocation{suites("//b:b_test")}},
		"failed alone": {selection.Options{LastFailed: true}, []selection.Invocation{suites("//b:b_test")}},
		"failed before": {selection.Options{FailedFirst: true},
			[]selection.Invocation{suites("//b:b_test"), suites("//a:a_test")}},
		"excluded, with --all": {selection.Options{All: true, Markers: mustParse(t, "e2e")},
			[]selection.Invocation{suites("//e:e_test")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustSelector(t, c.o)
			s.Failed = failed
			got, _, err := s.Narrow(all)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Narrow differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTitles(t *testing.T) {
	t.Parallel()
	s := mustSelector(t, selection.Options{CollectOnly: true, All: true})
	_, chosen, err := s.Narrow([]selection.Invocation{suites("//...")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range chosen {
		titles, err := one.Titles(s.Space)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, titles...)
	}
	want := []string{"//a:a_test::TestOne", "//a:a_test::TestSame", "//b:b_test::TestTwo", "//b:b_test::TestSame",
		"//e:e_test"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("titles differ (-want +got):\n%s", diff)
	}
}

// Errors say what is wrong and what to write instead.
func TestNarrowErrors(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]selection.Options{
		`-m "c": no suite is in a folder c or has it as a tag: there are a, b, exclusive-if-local, parallel_safe, serial_only; ` +
			`a word that may be without suites goes into markers in .pgcell.toml`: {Markers: mustParse(t, "c")},
		"-k 'c': none of the tests of 2 suites is left: --collect-only lists them": {Keyword: mustParse(t, "c")},
	} {
		_, _, err := mustSelector(t, o).Narrow([]selection.Invocation{suites("//...")})
		if err == nil || err.Error() != want {
			t.Errorf("Narrow = %v, want %s", err, want)
		}
	}
}

// Only targets that the patterns stand for, and that Bazel does not know, are gone: not those that do not run.
func TestGone(t *testing.T) {
	t.Parallel()
	s := mustSelector(t, selection.Options{LastFailed: true})
	for _, label := range []string{"//a:a_test", "//a:old (PostgreSQL 15)", "//a:old", "//e:e_test", "//m:m_test", "@@x//a:a"} {
		s.Failed = append(s.Failed, history.TestID{Label: label, Name: "TestA"})
	}
	for pattern, want := range map[string][]string{"//...": {"//a:old"}, "//b/...": nil} {
		got, err := s.Gone([]selection.Invocation{suites(pattern)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Gone of %s differs (-want +got):\n%s", pattern, diff)
		}
	}
}
