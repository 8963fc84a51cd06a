package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/history"
)

// selected is a suite and what was chosen of it.
type selected struct {
	*testSuite
	names []string // tests or subtests; all when nil
}

// selection narrows the calls of Bazel down to what -k, -m, --lf and --ff ask for. Suites that are chosen as a whole
// are
// called without a filter by name, so that their cached results serve.
func (s *session) selection(plan []invocation) ([]invocation, error) {
	o := s.o
	remembered := (o.lastFailed || o.failedFirst) && len(s.last) > 0
	if (o.lastFailed || o.failedFirst) && !remembered {
		s.print.line("no failed tests are known: running all")
	}
	if o.keywordExpr == nil && o.markersExpr == nil && !remembered && !o.collectOnly {
		return plan, nil
	}
	var first, chosen []selected
	total := 0
	for _, inv := range plan {
		suites, err := s.querySuites(inv.patterns)
		if err != nil {
			return nil, err
		}
		if !o.all && o.everywhere() {
			suites = slices.DeleteFunc(suites, func(t *testSuite) bool { return slices.Contains(t.tags, "e2e") })
		}
		if err := s.checkMarkers(suites); err != nil {
			return nil, err
		}
		total += len(suites)
		for _, t := range suites {
			part, err := s.choose(t, inv.names)
			if err != nil {
				return nil, err
			}
			switch failed := failedBefore(s.last, t.label); {
			case part == nil, remembered && o.lastFailed && !failed:
			case remembered && o.failedFirst && failed:
				first = append(first, *part)
			default:
				chosen = append(chosen, *part)
			}
		}
	}
	if len(first)+len(chosen) == 0 {
		return nil, &codedError{code: exitNoTests, err: s.nothing(total)}
	}
	s.chosen = append(first, chosen...)
	return append(calls(first), calls(chosen)...), nil
}

func failedBefore(last []history.TestID, label string) bool {
	return slices.ContainsFunc(last, func(id history.TestID) bool { return id.Label == label })
}

// nothing says that no test is left.
func (s *session) nothing(total int) error {
	var flags []string
	for _, f := range []struct{ name, value string }{{"-k", s.o.keyword}, {"-m", s.o.markers}} {
		if f.value != "" {
			flags = append(flags, f.name+" '"+f.value+"'")
		}
	}
	if s.o.lastFailed {
		flags = append(flags, "--lf")
	}
	if len(flags) == 0 {
		return usage("no tests found")
	}
	return usage("%s: none of the tests of %s is left: --collect-only lists them", strings.Join(flags, " "),
		plural(total, "suite"))
}

// checkMarkers finds words of -m that mean nothing.
func (s *session) checkMarkers(suites []*testSuite) error {
	if s.o.markersExpr == nil {
		return nil
	}
	for _, word := range s.o.markersExpr.words() {
		known := word == "serial_only" || word == "parallel_safe" || s.o.config.declares(word) ||
			slices.ContainsFunc(suites, func(t *testSuite) bool { return t.is(word) })
		if !known {
			return usage("-m %q: no suite is in a folder %s or has it as a tag: there are %s; a word that may be "+
				"without suites goes into markers in %s", s.o.markers, word, strings.Join(categories(suites), ", "), configName)
		}
	}
	return nil
}

// categories gives the last folders and the tags of suites.
func categories(suites []*testSuite) []string {
	words := map[string]bool{"serial_only": true, "parallel_safe": true}
	for _, t := range suites {
		folders := strings.Split(t.pkg(), "/")
		words[folders[len(folders)-1]] = true
		for _, tag := range t.tags {
			words[tag] = true
		}
	}
	delete(words, "")
	return slices.Sorted(maps.Keys(words))
}

// choose gives what -m, -k and names of the command line leave of a suite; nil for nothing.
func (s *session) choose(t *testSuite, names []string) (*selected, error) {
	if s.o.markersExpr != nil && !s.o.markersExpr.match(t.is) {
		return nil, nil
	}
	if s.o.keywordExpr == nil && len(names) == 0 {
		return &selected{testSuite: t}, nil
	}
	tests, err := t.testsIn(s.space)
	if err != nil {
		return nil, err
	}
	whole := true
	var left []string
	for _, one := range tests {
		if s.o.keywordExpr != nil && !s.o.keywordExpr.match(func(word string) bool { return t.matches(word, one) }) {
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
		return &selected{testSuite: t}, nil
	}
	return &selected{t, left}, nil
}

// calls joins selected suites to as few calls of Bazel as possible. A filter holds for a whole call: two suites go
// together where the names of neither would run a test of the other that was not chosen.
func calls(all []selected) []invocation {
	var whole invocation
	var groups [][]selected
	for _, one := range all {
		if one.names == nil {
			whole.patterns = append(whole.patterns, one.label)
			continue
		}
		i := slices.IndexFunc(groups, func(group []selected) bool {
			return !slices.ContainsFunc(group, func(other selected) bool { return one.disturbs(other) || other.disturbs(one) })
		})
		if i < 0 {
			groups = append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], one)
	}
	var plan []invocation
	if len(whole.patterns) > 0 {
		plan = append(plan, whole)
	}
	for _, group := range groups {
		inv := invocation{derived: true}
		for _, one := range group {
			inv.patterns = append(inv.patterns, one.label)
			for _, name := range one.names {
				if !slices.Contains(inv.names, name) {
					inv.names = append(inv.names, name)
				}
			}
		}
		plan = append(plan, inv)
	}
	return plan
}

// disturbs reports whether the names chosen of one suite would run more of another.
func (one selected) disturbs(other selected) bool {
	return slices.ContainsFunc(one.names, func(name string) bool {
		top, _, _ := strings.Cut(name, "/")
		has := slices.ContainsFunc(other.tests, func(t test) bool { return t.name == top })
		return has && !slices.Contains(other.names, name)
	})
}

// collect lists the chosen tests.
func (s *session) collect() error {
	count, suites := 0, 0
	for _, one := range s.chosen {
		names := one.names
		if names == nil {
			tests, err := one.testsIn(s.space)
			if err != nil {
				return err
			}
			for _, t := range tests {
				names = append(names, t.name)
			}
		}
		suites++
		for _, name := range names {
			count++
			s.print.line("%s", collected(one.testSuite, name))
		}
	}
	s.print.line("%s in %s", plural(count, "test"), plural(suites, "suite"))
	return nil
}

func collected(t *testSuite, name string) string {
	if name == "" {
		return t.label
	}
	return t.label + "::" + name
}
