package explain

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/spawns"
)

// difference is one reason for an action to run again.
type difference struct {
	text string
	via  []string // labels of targets between the action and the reason, that nearest to the action first
}

func (d difference) String() string {
	if len(d.via) == 0 {
		return d.text
	}
	return d.text + " (through " + strings.Join(d.via, ", ") + ")"
}

// graph finds the action that made an output.
type graph struct {
	makers map[string][]*spawns.Action // by the output's name
	seen   map[*spawns.Action]bool     // followed already
	found  []difference
}

func newGraph(actions []*spawns.Action) *graph {
	g := &graph{makers: map[string][]*spawns.Action{}, seen: map[*spawns.Action]bool{}}
	for _, a := range actions {
		for name := range a.Last.Outputs {
			g.makers[name] = append(g.makers[name], a)
		}
	}
	return g
}

// maker gives the action that made an output with a digest; nil for a source file.
func (g *graph) maker(name, digest string) *spawns.Action {
	for _, a := range g.makers[name] {
		if a.Last.Outputs[name] == digest {
			return a
		}
	}
	return nil
}

func (g *graph) add(via []string, format string, args ...any) {
	d := difference{text: fmt.Sprintf(format, args...), via: via}
	for i, known := range g.found {
		if known.text == d.text { // found on two ways: the shorter tells enough
			if len(d.via) < len(known.via) {
				g.found[i] = d
			}
			return
		}
	}
	g.found = append(g.found, d)
}

// follow adds what differs between the two executions of an action, and reports whether anything does. A generated input
// that differs is followed to the action that made it.
func (g *graph) follow(a *spawns.Action, via []string) bool {
	g.seen[a] = true
	before := len(g.found)
	last, prior := a.Last, a.Before
	g.compare(via, "variable", prior.Env, last.Env)
	g.compare(via, "execution property", prior.Platform, last.Platform)
	g.arguments(via, prior.Args, last.Args)
	differs := len(g.found) > before
	for _, name := range names(prior.Inputs, last.Inputs) {
		one, had := prior.Inputs[name]
		other, has := last.Inputs[name]
		switch {
		case one == other && had == has:
			continue
		case !had:
			g.add(via, "%s added", input(name))
		case !has:
			g.add(via, "%s removed", input(name))
		default:
			g.changed(a, name, via)
		}
		differs = true
	}
	return differs
}

// changed adds the reasons for a changed input of an action.
func (g *graph) changed(a *spawns.Action, name string, via []string) {
	maker := g.maker(name, a.Last.Inputs[name])
	if maker == nil {
		g.add(via, "%s changed", input(name))
		return
	}
	if g.seen[maker] {
		return
	}
	if label := maker.Last.Label; label != a.Last.Label {
		via = append(slices.Clone(via), label)
	}
	switch {
	case maker.Before == nil:
		g.add(via, "%s changed; why is not known, since one execution alone is kept of what made it", input(name))
	case !g.follow(maker, via):
		g.add(via, "%s changed, although it was made of the same: its bytes differ each time", input(name))
	}
}

// compare adds the entries that differ between two maps.
func (g *graph) compare(via []string, what string, one, other map[string]string) {
	for _, name := range names(one, other) {
		from, had := one[name]
		to, has := other[name]
		switch {
		case from == to && had == has:
		case !had:
			g.add(via, "%s %s added: %s", what, name, shown(to))
		case !has:
			g.add(via, "%s %s removed: it was %s", what, name, shown(from))
		default:
			g.add(via, "%s %s changed: %s -> %s", what, name, shown(from), shown(to))
		}
	}
}

// arguments adds what stands in one command line and not in the other.
func (g *graph) arguments(via []string, one, other []string) {
	added, removed := missing(one, other), missing(other, one)
	for _, arg := range removed {
		g.add(via, "argument removed: %s", shown(arg))
	}
	for _, arg := range added {
		g.add(via, "argument added: %s", shown(arg))
	}
	if len(added)+len(removed) == 0 && !slices.Equal(one, other) {
		g.add(via, "the order of the arguments changed")
	}
}

// missing gives what other has more of than one.
func missing(one, other []string) []string {
	count := map[string]int{}
	for _, arg := range one {
		count[arg]++
	}
	var all []string
	for _, arg := range other {
		if count[arg]--; count[arg] < 0 {
			all = append(all, arg)
		}
	}
	return all
}

func names(one, other map[string]string) []string {
	all := maps.Clone(one)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, other)
	return slices.Sorted(maps.Keys(all))
}

// digest is what secret.Variable puts behind a secret.
var digest = regexp.MustCompile(`\*\*\*(.*) #[0-9a-f]{4}$`)

func shown(value string) string { return strconv.Quote(digest.ReplaceAllString(value, "***$1")) }

// input names an input for people.
func input(name string) string {
	repository, ok := strings.CutPrefix(name, "external/")
	switch {
	case strings.HasSuffix(repository, "pgcell_postgres") && ok:
		return "PostgreSQL (external repository " + repository + ")"
	case ok:
		return "external repository " + repository
	}
	return "file " + name
}
