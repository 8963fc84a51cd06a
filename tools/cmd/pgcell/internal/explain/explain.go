// Package explain is "pgcell explain": it says why a target ran again.
package explain

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/label"
	"github.com/pgcell/pgcell/tools/internal/spawns"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

const long = `Say why a test ran again: what differs between its last execution and the one before.

It names changed, added and removed files, environment variables, arguments and execution properties. If a file is
generated, it names the source files that it was made of. Values of secrets are not shown.

"pgcell run" keeps what the actions of its last runs were executed with. Results from a remote or disk cache count as
executions; results that Bazel still had in its output directory do not.`

// Command gives "pgcell explain".
func Command(p *cli.Process) *cobra.Command {
	return &cobra.Command{
		Use:     "explain LABEL",
		Short:   "Say why a target ran again",
		Long:    long,
		Example: "  pgcell explain //app/store:store_test",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.Usage(`want one label, such as "//app/store:store_test"`)
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return run(p, args[0]) },
	}
}

func run(p *cli.Process, written string) error {
	space, err := workspace.Find(p)
	if err != nil {
		return err
	}
	target, err := normalise(written, space)
	if err != nil {
		return err
	}
	dir, err := history.CacheDir(p.Getenv)
	if err != nil {
		return failed("%w", err)
	}
	store := history.Open(dir, space.Root)
	actions, err := spawns.In(store.Dir()).Actions()
	if err != nil {
		return failed("%w", err)
	}
	config, err := workspace.ReadConfig(space.Root)
	switch {
	case err != nil:
		return err
	case len(actions) == 0 && !config.KeepsExecutions():
		return failed("no execution is kept of this workspace, because %s says explain = false", workspace.ConfigFile)
	case len(actions) == 0:
		return failed("no execution is kept of this workspace: %q keeps them", p.RunCommand())
	}
	of := ofTarget(actions, target)
	known, cached, last := lastResults(store, target)
	switch {
	case len(of) == 0 && known:
		return failed("no execution of %s is kept: in its last run the result came from Bazel's cache", target)
	case len(of) == 0:
		return cli.Usage("%s has no execution that is kept; there are %s", target, strings.Join(likest(actions, target), ", "))
	}
	if cached && last != of[0].Last.Run.ID {
		fmt.Fprintln(p.Stdout, "in the last run its result came from a cache; this is about the execution before that")
	}
	explain(p, target, actions, of)
	return nil
}

func failed(format string, args ...any) error {
	return &cli.Error{Code: cli.Failed, Err: fmt.Errorf(format, args...)}
}

// normalise gives a label in full: of //a, a:b_test, :b_test, a package's directory, or as a summary names it.
func normalise(written string, space *workspace.Workspace) (string, error) {
	label := label.Bare(written)
	if _, main, found := strings.Cut(label, "@//"); found {
		label = "//" + main
	}
	if strings.HasPrefix(label, "@") || strings.HasPrefix(label, "-") || strings.Contains(label, "...") || strings.Contains(label, "::") {
		return "", cli.Usage("%q is not the label of one target of this workspace, such as //app/store:store_test", written)
	}
	if !strings.HasPrefix(label, "//") {
		here, err := filepath.Rel(space.Root, space.Cwd)
		if err != nil || !filepath.IsLocal(here) {
			return "", cli.Usage("%q: the current directory is not in the workspace: want a label that begins with //", written)
		}
		folder, name, found := strings.Cut(label, ":")
		label = "//" + strings.TrimPrefix(path.Join(filepath.ToSlash(here), folder), ".")
		label = strings.Replace(label, "///", "//", 1)
		if found {
			label += ":" + name
		}
	}
	if !strings.Contains(label, ":") {
		label += ":" + path.Base(label)
	}
	return label, nil
}

// ofTarget gives the actions of a target that explain it: of a test those that run it, else all.
func ofTarget(actions []*spawns.Action, label string) (of []*spawns.Action) {
	for _, a := range actions {
		if a.Last.Label == label {
			of = append(of, a)
		}
	}
	isTest := func(a *spawns.Action) bool { return a.Last.Mnemonic == "TestRunner" }
	if slices.ContainsFunc(of, isTest) {
		of = slices.DeleteFunc(of, func(a *spawns.Action) bool { return !isTest(a) })
	}
	newest := slices.MaxFunc(append(of, &spawns.Action{Last: &spawns.Kept{}}), func(a, b *spawns.Action) int {
		return a.Last.Run.Start.Compare(b.Last.Run.Start)
	}).Last.Run
	return slices.DeleteFunc(of, func(a *spawns.Action) bool { return a.Last.Run.ID != newest.ID })
}

// lastResults looks for the last run that had a target: whether there is one, whether nothing was executed for the target,
// and its ID.
func lastResults(store *history.Store, of string) (known, cached bool, run string) {
	runs, err := store.Runs(history.KeptRuns)
	if err != nil {
		return false, false, run
	}
	for _, r := range runs {
		cached = true
		for _, s := range r.Shards {
			if label.Bare(s.Label) == of {
				known, cached = true, cached && s.Cached
			}
		}
		if known {
			return true, cached, r.ID
		}
	}
	return false, false, run
}

// likest gives up to three labels of tests, those that begin like label first.
func likest(actions []*spawns.Action, label string) []string {
	var all []string
	for _, a := range actions {
		if a.Last.Mnemonic == "TestRunner" && !slices.Contains(all, a.Last.Label) {
			all = append(all, a.Last.Label)
		}
	}
	if len(all) == 0 {
		return []string{"no tests"}
	}
	slices.SortStableFunc(all, func(a, b string) int { return common(b, label) - common(a, label) })
	return all[:min(3, len(all))]
}

// common is the length of what two texts begin with.
func common(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

const clock = "2006-01-02 15:04:05"

// explain prints what differs between the executions of a target's actions.
func explain(p *cli.Process, label string, all, of []*spawns.Action) {
	g := newGraph(all)
	last, word := of[0].Last, "ran"
	if last.Cached {
		word = "was taken from a shared cache"
	}
	compared := slices.DeleteFunc(slices.Clone(of), func(a *spawns.Action) bool { return a.Before == nil })
	if len(compared) == 0 {
		fmt.Fprintf(p.Stdout, "%s %s in the run of %s. No execution before that is kept, so there is nothing to compare with.\n",
			label, word, last.Run.Start.Local().Format(clock))
		return
	}
	prior := compared[0].Before
	for _, a := range compared {
		g.follow(a, nil)
	}
	fmt.Fprintf(p.Stdout, "%s %s in the run of %s, and before that in the run of %s. ", label, word,
		last.Run.Start.Local().Format(clock), prior.Run.Start.Local().Format(clock))
	switch {
	case len(g.found) > 0:
		fmt.Fprintln(p.Stdout, "What differs:")
	case prior.Failed:
		fmt.Fprintln(p.Stdout, "Nothing differs: it had failed, and Bazel does not cache a failure.")
	default:
		fmt.Fprintln(p.Stdout, "Nothing differs: its result was not in the cache any more, or was not to be taken from it.")
	}
	for _, d := range g.found {
		fmt.Fprintln(p.Stdout, "  "+d.String())
	}
}
