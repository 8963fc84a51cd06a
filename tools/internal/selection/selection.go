// Package selection chooses what to run: it turns paths, labels, ::TestName, -k, -m, --lf and --ff into calls of Bazel,
// each with its target patterns and its filter by name.
package selection

import (
	"errors"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/label"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// Options say which tests to run.
type Options struct {
	Paths       []string    // directories, files and labels, each with or without ::TestName; none for all
	All         bool        // everything in the workspace
	Keyword     *Expression // -k; nil for none
	Markers     *Expression // -m; nil for none
	LastFailed  bool        // suites alone in which tests failed when they last ran
	FailedFirst bool        // those suites first
	CollectOnly bool        // list the tests
	*workspace.Config
}

// Everywhere reports whether no path was given: names alone (::TestX) are looked for in all.
func (o *Options) Everywhere() bool {
	return !slices.ContainsFunc(o.Paths, func(path string) bool { return !strings.HasPrefix(path, "::") })
}

// Excluded gives the tags of tests that do not run, by the workspace's settings: none if a path was given, or --all.
func (o *Options) Excluded() []string {
	if o.All || !o.Everywhere() {
		return nil
	}
	return o.Run.ExcludeTags
}

// Selector chooses suites and tests by what Bazel and source files tell of them.
type Selector struct {
	*Options
	Space    *workspace.Workspace
	Bazel    *bazel.Client
	Failed   []history.TestID // what failed when it last ran
	Messages io.Writer        // for Bazel's messages

	known map[string][]*bazel.Rule // what Bazel answered, by patterns
}

// Chosen is a suite and what was chosen of it.
type Chosen struct {
	*suite
	names []string // tests or subtests; all when nil
}

// Narrow narrows the calls of Bazel down to what -k, -m, --lf and --ff ask for, and gives what was chosen; nothing if
// none of these flags was given. Suites that are chosen as a whole are called without a filter by name, so that their
// cached results serve. A name of the command line that no test has is an error.
func (s *Selector) Narrow(plan []Invocation) ([]Invocation, []Chosen, error) {
	if err := s.checkNames(plan); err != nil {
		return nil, nil, err
	}
	remembered := (s.LastFailed || s.FailedFirst) && len(s.Failed) > 0
	if s.Keyword == nil && s.Markers == nil && !remembered && !s.CollectOnly {
		return plan, nil, nil
	}
	var first, chosen []Chosen
	total := 0
	for _, inv := range plan {
		suites, err := s.suites(inv.Patterns)
		if err != nil {
			return nil, nil, err
		}
		if err := s.checkMarkers(suites); err != nil {
			return nil, nil, err
		}
		total += len(suites)
		for _, t := range suites {
			part, err := s.choose(t, inv.Names)
			if err != nil {
				return nil, nil, err
			}
			switch failed := failedBefore(s.Failed, t.Label); {
			case part == nil, remembered && s.LastFailed && !failed:
			case remembered && s.FailedFirst && failed:
				first = append(first, *part)
			default:
				chosen = append(chosen, *part)
			}
		}
	}
	if len(first)+len(chosen) == 0 {
		return nil, nil, &cli.Error{Code: cli.NoTests, Err: s.nothing(total)}
	}
	return append(calls(first), calls(chosen)...), append(first, chosen...), nil
}

// suites gives the test targets behind patterns. Of patterns that stand for many, those tagged manual are left out, as
// "bazel test" does.
func (s *Selector) suites(patterns []string) ([]*suite, error) {
	rules, err := s.rules(patterns)
	if err != nil {
		return nil, err
	}
	var suites []*suite
	for _, rule := range rules {
		manual := rule.HasTag("manual") && !slices.Contains(patterns, rule.Label)
		if rule.IsTest() && !manual && !slices.ContainsFunc(s.Excluded(), rule.HasTag) {
			suites = append(suites, newSuite(rule, rules))
		}
	}
	return suites, nil
}

// rules asks Bazel, once, for all test targets behind patterns, and for what they embed.
func (s *Selector) rules(patterns []string) ([]*bazel.Rule, error) {
	all := strings.Join(patterns, " ")
	if rules, ok := s.known[all]; ok {
		return rules, nil
	}
	messages := &bazel.Messages{To: s.Messages}
	defer messages.Flush()
	rules, err := s.Bazel.Query([]string{"--noimplicit_deps", "--order_output=auto", "--curses=no",
		"--ui_event_filters=-info", "--noshow_progress", "--", withEmbedded("tests(set(" + all + "))")}, messages)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == bazel.ExitLocked:
		return nil, cli.Broken("find the tests: another Bazel command has this workspace: try again when it has ended")
	case errors.As(err, &exit):
		return nil, cli.Usage("find the tests in %s: Bazel's message is above", all)
	case err != nil:
		return nil, cli.Broken("find the tests: %w", err)
	}
	if s.known == nil {
		s.known = make(map[string][]*bazel.Rule)
	}
	s.known[all] = rules
	return rules, nil
}

// Gone gives the targets with failed tests that are no longer there: a plan's patterns stand for them, but Bazel knows
// no such target.
func (s *Selector) Gone(plan []Invocation) ([]string, error) {
	var gone []string
	for _, inv := range plan {
		rules, err := s.rules(inv.Patterns)
		if err != nil {
			return nil, err
		}
		for _, id := range s.Failed {
			target := label.Bare(id.Label)
			covered := slices.ContainsFunc(inv.Patterns, func(pattern string) bool { return Covers(pattern, target) })
			there := slices.ContainsFunc(rules, func(rule *bazel.Rule) bool { return rule.Label == target })
			if covered && !there && strings.HasPrefix(target, "//") && !slices.Contains(gone, target) {
				gone = append(gone, target)
			}
		}
	}
	return gone, nil
}

// withEmbedded is a query for tests and what they embed: the go_test of one version's test, libraries, and one more of these.
func withEmbedded(tests string) string {
	return "let t = " + tests + " in let e = labels(embed, $t) in let f = labels(embed, $e) in $t + $e + $f + labels(embed, $f)"
}

func failedBefore(last []history.TestID, label string) bool {
	return slices.ContainsFunc(last, func(id history.TestID) bool { return id.Label == label })
}

// nothing says that no test is left.
func (s *Selector) nothing(total int) error {
	var flags []string
	for _, f := range []struct{ name, value string }{{"-k", s.Keyword.String()}, {"-m", s.Markers.String()}} {
		if f.value != "" {
			flags = append(flags, f.name+" '"+f.value+"'")
		}
	}
	if s.LastFailed {
		flags = append(flags, "--lf")
	}
	if len(flags) == 0 {
		return cli.Usage("no tests found")
	}
	return cli.Usage("%s: none of the tests of %s is left: --collect-only lists them", strings.Join(flags, " "),
		cli.Plural(total, "suite"))
}

// checkMarkers finds words of -m that mean nothing.
func (s *Selector) checkMarkers(suites []*suite) error {
	if s.Markers == nil {
		return nil
	}
	for _, word := range s.Markers.words() {
		known := word == "serial_only" || word == "parallel_safe" || s.Config.Declares(word) ||
			slices.ContainsFunc(suites, func(t *suite) bool { return t.is(word) })
		if !known {
			return cli.Usage("-m %q: no suite is in a folder %s or has it as a tag: there are %s; a word that may be "+
				"without suites goes into markers in %s", s.Markers.String(), word, strings.Join(categories(suites), ", "),
				workspace.ConfigFile)
		}
	}
	return nil
}

// categories gives the last folders and the tags of suites.
func categories(suites []*suite) []string {
	words := map[string]bool{"serial_only": true, "parallel_safe": true}
	for _, t := range suites {
		folders := strings.Split(t.Package(), "/")
		words[folders[len(folders)-1]] = true
		for _, tag := range t.Tags {
			words[tag] = true
		}
	}
	delete(words, "")
	return slices.Sorted(maps.Keys(words))
}

// choose gives what -m, -k and names of the command line leave of a suite; nil for nothing.
func (s *Selector) choose(t *suite, names []string) (*Chosen, error) {
	if s.Markers != nil && !s.Markers.Match(t.is) {
		return nil, nil
	}
	if s.Keyword == nil && len(names) == 0 {
		return &Chosen{suite: t}, nil
	}
	tests, err := t.testsIn(s.Space)
	if err != nil {
		return nil, err
	}
	whole := true
	var left []string
	for _, one := range tests {
		if s.Keyword != nil && !s.Keyword.Match(func(word string) bool { return t.matches(word, one) }) {
			whole = false
			continue
		}
		if len(names) == 0 {
			left = append(left, one.name)
		}
		for _, name := range names {
			if top, _, _ := strings.Cut(name, "/"); top == one.name {
				left = append(left, name)
			}
		}
	}
	switch {
	case len(left) == 0:
		return nil, nil
	case whole && len(names) == 0:
		return &Chosen{suite: t}, nil
	}
	return &Chosen{t, left}, nil
}

// calls joins selected suites to as few calls of Bazel as possible. A filter holds for a whole call: two suites go
// together where the names of neither would run a test of the other that was not chosen.
func calls(all []Chosen) []Invocation {
	var whole Invocation
	var groups [][]Chosen
	for _, one := range all {
		if one.names == nil {
			whole.Patterns = append(whole.Patterns, one.Label)
			continue
		}
		i := slices.IndexFunc(groups, func(group []Chosen) bool {
			return !slices.ContainsFunc(group, func(other Chosen) bool { return one.disturbs(other) || other.disturbs(one) })
		})
		if i < 0 {
			groups = append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], one)
	}
	var plan []Invocation
	if len(whole.Patterns) > 0 {
		plan = append(plan, whole)
	}
	for _, group := range groups {
		inv := Invocation{Derived: true}
		for _, one := range group {
			inv.Patterns = append(inv.Patterns, one.Label)
			for _, name := range one.names {
				if !slices.Contains(inv.Names, name) {
					inv.Names = append(inv.Names, name)
				}
			}
		}
		plan = append(plan, inv)
	}
	return plan
}

// disturbs reports whether the names chosen of one suite would run more of another.
func (one Chosen) disturbs(other Chosen) bool {
	return slices.ContainsFunc(one.names, func(name string) bool {
		top, _, _ := strings.Cut(name, "/")
		has := slices.ContainsFunc(other.tests, func(t test) bool { return t.name == top })
		return has && !slices.Contains(other.names, name)
	})
}

// Titles gives the chosen tests of the suite as "pgcell run" takes them: label::TestName, and the label alone where
// tests are not known by name.
func (one Chosen) Titles(w *workspace.Workspace) ([]string, error) {
	names := one.names
	if names == nil {
		tests, err := one.testsIn(w)
		if err != nil {
			return nil, err
		}
		for _, t := range tests {
			names = append(names, t.name)
		}
	}
	titles := make([]string, 0, len(names))
	for _, name := range names {
		if name == "" {
			titles = append(titles, one.Label)
		} else {
			titles = append(titles, one.Label+"::"+name)
		}
	}
	return titles, nil
}
