package selection

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/label"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// Invocation is what one call of Bazel tests.
type Invocation struct {
	Patterns []string // Bazel's target patterns
	Names    []string // tests to run, "TestA" or "TestA/sub"; all when empty
	Postgres string   // the value of --postgres; empty for Bazel's choice
	Derived  bool     // the names were found in source files, not written by the user: one may be missing
}

// Filter gives the value of --test_filter: regular expressions for Go's -test.run, separated by
// commas, which is where rules_go splits them.
func (i *Invocation) Filter() string {
	var all []string
	for _, name := range i.Names {
		var elements []string
		for _, element := range strings.Split(name, "/") {
			quoted := strings.ReplaceAll(regexp.QuoteMeta(element), ",", ".")
			elements = append(elements, "^"+quoted+"$")
		}
		all = append(all, strings.Join(elements, "/"))
	}
	return strings.Join(all, ",")
}

// Plan turns the arguments into calls of Bazel: one for all whole paths, and one more for each set
// of test names, since a filter holds for a whole call.
func Plan(w *workspace.Workspace, o *Options) ([]Invocation, error) {
	if o.All {
		return []Invocation{{Patterns: []string{"//..."}}}, nil
	}
	paths := o.Paths
	if len(paths) == 0 {
		if paths = o.Config.Run.Testpaths; len(paths) == 0 {
			return []Invocation{{Patterns: []string{w.Everything()}}}, nil
		}
		w = &workspace.Workspace{Root: w.Root, Cwd: w.Root}
	}
	var whole Invocation
	var named []Invocation
	for _, argument := range paths {
		path, name, hasName := strings.Cut(argument, "::")
		pattern, err := w.Pattern(path, hasName)
		if err != nil {
			return nil, err
		}
		if !hasName {
			whole.Patterns = append(whole.Patterns, pattern)
			continue
		}
		if name, err = testName(argument, name); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(named, func(n Invocation) bool { return n.Patterns[0] == pattern })
		if i < 0 {
			named = append(named, Invocation{Patterns: []string{pattern}, Names: []string{name}})
		} else if !slices.Contains(named[i].Names, name) {
			named[i].Names = append(named[i].Names, name)
		}
	}
	if len(whole.Patterns) > 0 {
		return append([]Invocation{whole}, named...), nil
	}
	return named, nil
}

// testName brings a name into the form in which Go reports it.
func testName(argument, name string) (string, error) {
	name = strings.ReplaceAll(name, "::", "/")
	name = strings.Trim(strings.ReplaceAll(name, " ", "_"), "/")
	if name == "" {
		return "", cli.Usage("%s: no test name after \"::\": write path::TestName, or the path alone", argument)
	}
	return name, nil
}

// Recorded gives the recorded executions of targets that a plan's patterns name.
func Recorded(times *history.Times, plan []Invocation) []history.Shard {
	var shards []history.Shard
	for _, s := range times.All() {
		if slices.ContainsFunc(plan, func(inv Invocation) bool {
			return slices.ContainsFunc(inv.Patterns, func(pattern string) bool { return Covers(pattern, label.Bare(s.Label)) })
		}) {
			shards = append(shards, s)
		}
	}
	return shards
}

// Covers reports whether a target pattern names a label: "//a/...", "//a:all", "//a:t" or "//a".
func Covers(pattern, label string) bool {
	label = strings.TrimPrefix(label, "@@")
	pkg, _, _ := strings.Cut(label, ":")
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return below == "/" || pkg == below || strings.HasPrefix(pkg, below+"/")
	}
	if all, ok := strings.CutSuffix(pattern, ":all"); ok {
		return pkg == all
	}
	if !strings.Contains(pattern, ":") {
		pattern += ":" + pattern[strings.LastIndexByte(pattern, '/')+1:]
	}
	return pattern == label
}
