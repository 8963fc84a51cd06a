package shard

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Filter is what -test.run and -test.skip select, in the way of Go's package testing: alternatives at the top level of
// a pattern, each of them divided at slashes, one expression for each level of subtests. The zero value selects
// everything.
type Filter struct {
	run, skip []alternative
}

// alternative is one side of a pattern's "|": an expression for the test's name, and the text that follows, from the
// slash on.
type alternative struct {
	name *regexp.Regexp
	rest string
}

// ParseFilter reads the values of -test.run and -test.skip; an empty one filters nothing. The error names a wrong
// expression.
func ParseFilter(run, skip string) (Filter, error) {
	var f Filter
	var err error
	if f.run, err = parse("-test.run", run); err != nil {
		return Filter{}, err
	}
	if f.skip, err = parse("-test.skip", skip); err != nil {
		return Filter{}, err
	}
	return f, nil
}

func parse(flag, pattern string) ([]alternative, error) {
	if pattern == "" {
		return nil, nil
	}
	var all []alternative
	for _, elements := range split(pattern) {
		for _, element := range elements {
			if _, err := regexp.Compile(element); err != nil {
				return nil, fmt.Errorf("read %s=%q: %w", flag, pattern, err)
			}
		}
		a := alternative{name: regexp.MustCompile(elements[0])}
		for _, element := range elements[1:] {
			a.rest += "/" + element
		}
		all = append(all, a)
	}
	return all, nil
}

// split divides a pattern as testing does: at "|" and "/" outside of brackets and parentheses.
func split(pattern string) [][]string {
	var all [][]string
	var elements []string
	brackets, parens, start := 0, 0, 0
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\':
			i++
		case c == '[':
			brackets++
		case c == ']':
			brackets = max(0, brackets-1)
		case brackets > 0:
		case c == '(':
			parens++
		case c == ')':
			parens--
		case parens == 0 && (c == '/' || c == '|'):
			elements = append(elements, pattern[start:i])
			start = i + 1
			if c == '|' {
				all = append(all, elements)
				elements = nil
			}
		}
	}
	return append(all, append(elements, pattern[start:]))
}

// Select gives those of the tests that the filter lets run, as a whole or in part.
func (f Filter) Select(tests []string) []string {
	var all []string
	for _, name := range tests {
		if len(f.rests(name)) > 0 && !f.skips(name) {
			all = append(all, name)
		}
	}
	return all
}

// rests gives what alternatives that match a test say of its subtests: "" for the whole test. None: it does not run.
func (f Filter) rests(name string) []string {
	if f.run == nil {
		return []string{""}
	}
	var rests []string
	for _, a := range f.run {
		if a.name.MatchString(name) && !slices.Contains(rests, a.rest) {
			rests = append(rests, a.rest)
		}
	}
	return rests
}

func (f Filter) skips(name string) bool {
	return slices.ContainsFunc(f.skip, func(a alternative) bool { return a.rest == "" && a.name.MatchString(name) })
}

// Narrow gives the values of -test.run and -test.skip that let run, of what the filter selects, the given tests alone.
// The values are as few expressions as can be, since testing compiles an expression anew whenever it asks for another
// one than the time before.
func (f Filter) Narrow(tests []string) (run, skip string) {
	return f.narrowRun(f.Select(tests)), f.narrowSkip()
}

func (f Filter) narrowRun(tests []string) string {
	type group struct{ rests, names []string }
	var groups []*group
	for _, name := range tests {
		rests := f.rests(name)
		at := slices.IndexFunc(groups, func(g *group) bool { return slices.Equal(g.rests, rests) })
		if at < 0 {
			at = len(groups)
			groups = append(groups, &group{rests: rests})
		}
		groups[at].names = append(groups[at].names, regexp.QuoteMeta(name))
	}
	all := []string{}
	for _, g := range groups {
		for _, rest := range g.rests {
			all = append(all, "^("+strings.Join(g.names, "|")+")$"+rest)
		}
	}
	if len(all) == 0 {
		return "^$"
	}
	return strings.Join(all, "|")
}

// narrowSkip keeps what says something of subtests; whole tests that are skipped are not in the other value.
func (f Filter) narrowSkip() string {
	var all []string
	for _, a := range f.skip {
		if a.rest != "" {
			all = append(all, a.name.String()+a.rest)
		}
	}
	return strings.Join(all, "|")
}
