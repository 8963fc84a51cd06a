package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcell/pgcell/tools/internal/plan"
	"github.com/pgcell/pgcell/tools/internal/shard"
)

const timingsLong = `Record what tests take, and balance shards by it.

"update" writes the times of the last run of every suite into a file pgcell_times.txt in its package,
which pg_go_test hands to the shards. Commit these files. They are rounded, and a time changes only when it
is off by more than 30 % and 30 ms, so that noise changes nothing: a changed file runs its suites again.

"show" tells how well the shards are balanced, and what limits them. "apply" writes the shard_count that
would serve into BUILD files.`

// worthUsage is how much work is worth a shard.
const worthUsage = "seconds of tests that are worth a shard of its own, above 0"

func (p *program) timingsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "timings",
		Short: "Record what tests take, and balance shards by it",
		Long:  timingsLong,
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return usage(`pgcell timings: want "update", "show" or "apply"`)
		},
	}
	cmd.AddCommand(p.timingsUpdateCommand(), p.timingsShowCommand(), p.timingsApplyCommand())
	return cmd
}

func (p *program) timingsUpdateCommand() *cobra.Command {
	var testlogs string
	cmd := &cobra.Command{
		Use:   "update [directory]...",
		Short: "Write the times of the last run of every suite into the packages' files",
		RunE: func(_ *cobra.Command, args []string) error {
			space, err := p.findWorkspace()
			if err != nil {
				return err
			}
			if testlogs == "" {
				testlogs = filepath.Join(space.root, "bazel-testlogs")
			}
			return p.updateTimings(space, testlogs, args)
		},
	}
	cmd.Flags().StringVar(&testlogs, "testlogs", "", "`directory` of results; default bazel-testlogs in the workspace")
	return cmd
}

// failed makes an error of a command other than run.
func failed(format string, args ...any) error {
	return &codedError{code: exitFailed, err: fmt.Errorf(format, args...), command: "pgcell timings"}
}

func (p *program) updateTimings(space *workspace, testlogs string, dirs []string) error {
	within, err := space.within(dirs)
	if err != nil {
		return err
	}
	suites, err := plan.Read(testlogs)
	if errors.Is(err, fs.ErrNotExist) {
		return failed("%w: run the tests first; where Bazel makes no link bazel-testlogs, give "+
			`--testlogs="$(bazel info bazel-testlogs)"`, err)
	}
	if err != nil {
		return failed("%w", err)
	}
	byPackage := map[string][]*plan.Suite{}
	for _, s := range suites {
		if within(s.Package) {
			byPackage[s.Package] = append(byPackage[s.Package], s)
		}
	}
	written, same := 0, 0
	for _, path := range sortedKeys(byPackage) {
		pkg, err := plan.OpenPackage(space.root, path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // another workspace's, or removed since
		}
		if err != nil {
			return failed("%w", err)
		}
		wrote, err := p.updatePackage(pkg, byPackage[path])
		if err != nil {
			return failed("%w", err)
		}
		switch {
		case wrote:
			written++
		case len(pkg.Times) > 0:
			same++
		}
	}
	fmt.Fprintf(p.stdout, "%d of %d files of recorded times written\n", written, written+same)
	return nil
}

func (p *program) updatePackage(pkg *plan.Package, suites []*plan.Suite) (written bool, err error) {
	if pkg.Damaged != nil {
		fmt.Fprintf(p.stderr, "pgcell timings: %v: writing it anew\n", pkg.Damaged)
	}
	changed := pkg.Update(suites)
	if written, err = pkg.Save(); err != nil {
		return false, err
	}
	if written {
		fmt.Fprintf(p.stdout, "%s: %d of %d tests changed\n", pkg.File(), changed, count(pkg.Times))
	}
	for _, s := range suites {
		if len(s.Missing) > 0 && pkg.Times[s.Target] != nil {
			fmt.Fprintf(p.stderr, "pgcell timings: %s: no result of shard %s of %d: its tests keep the times that they have; "+
				"run the suite\n", s.Label(), join(s.Missing), s.Shards)
		}
	}
	return written, nil
}

func count(times shard.Times) int {
	n := 0
	for _, tests := range times {
		n += len(tests)
	}
	return n
}

func join(numbers []int) string {
	var all []string
	for _, n := range numbers {
		all = append(all, fmt.Sprint(n))
	}
	return strings.Join(all, ", ")
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// within gives a test for packages in some directories of the command line, or below; without any it is true of all.
func (w *workspace) within(dirs []string) (func(pkg string) bool, error) {
	var prefixes []string
	for _, dir := range dirs {
		pattern, err := w.pattern(dir, false)
		if err != nil {
			return nil, err
		}
		path, below := strings.CutSuffix(pattern, "/...")
		if !below || !strings.HasPrefix(path, "/") {
			return nil, usage("%s: want a directory", dir)
		}
		prefixes = append(prefixes, strings.TrimLeft(path, "/"))
	}
	return func(pkg string) bool {
		return len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(prefix string) bool {
			return prefix == "" || pkg == prefix || strings.HasPrefix(pkg, prefix+"/")
		})
	}, nil
}

func (p *program) timingsShowCommand() *cobra.Command {
	var asJSON bool
	var worth float64
	cmd := &cobra.Command{
		Use:   "show [directory]...",
		Short: "Tell how well the shards of each suite are balanced, and what limits them",
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := p.balances(args, worth)
			if err != nil {
				return err
			}
			if asJSON {
				return p.showJSON(all)
			}
			return p.showTable(all)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array, one object for each suite")
	cmd.Flags().Float64Var(&worth, "worth", 5, worthUsage)
	return cmd
}

// suite is a suite with recorded times.
type suite struct {
	plan.Balance
	pkg    *plan.Package
	target string
}

// balances gives the recorded suites in some directories; all without any.
func (p *program) balances(dirs []string, worth float64) ([]suite, error) {
	if worth <= 0 || worth > 1e6 {
		return nil, usage("--worth %v: want seconds, above 0", worth)
	}
	space, err := p.findWorkspace()
	if err != nil {
		return nil, err
	}
	within, err := space.within(dirs)
	if err != nil {
		return nil, err
	}
	packages, err := plan.Recorded(space.root)
	if err != nil {
		return nil, failed("%w", err)
	}
	ran := lastShards(space)
	var all []suite
	for _, pkg := range packages {
		if pkg.Damaged != nil {
			return nil, failed("%w", pkg.Damaged)
		}
		for _, target := range sortedKeys(pkg.Times) {
			declared := pkg.Build.Target(target)
			if !within(pkg.Path) {
				continue
			}
			label := "//" + pkg.Path + ":" + target
			shards := declared.Shards
			if shards < 1 {
				shards = ran[label] // a macro's default, or a select
			}
			b := plan.Weigh(label, pkg.Times[target], shards, time.Duration(worth*float64(time.Second)))
			if declared.Alone {
				b.Suggest = b.Shards
			}
			all = append(all, suite{b, pkg, target})
		}
	}
	if len(all) == 0 {
		return nil, failed(`no recorded times: "pgcell timings update" writes them after a run`)
	}
	return all, nil
}

// lastShards gives the number of shards in which suites ran last, by label; of those whose results are there.
func lastShards(space *workspace) map[string]int {
	suites, err := plan.Read(filepath.Join(space.root, "bazel-testlogs"))
	if err != nil {
		return nil // no run yet
	}
	ran := map[string]int{}
	for _, s := range suites {
		ran[s.Label()] = s.Shards
	}
	return ran
}

func (p *program) showTable(all []suite) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "tests\tsum s\tshards\tslowest s\tideal s\tslowest/ideal\tlongest s\t  suite")
	for _, b := range all {
		fmt.Fprintf(w, "%d\t%.2f\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t  %s\n", b.Tests, b.Sum.Seconds(), b.Shards,
			b.Slowest.Seconds(), b.Ideal.Seconds(), b.Ratio(), b.Takes.Seconds(), b.Label)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, b := range all {
		if limit := b.Limit(); limit != "" {
			fmt.Fprintf(p.stdout, "%s: %s\n", b.Label, limit)
		}
	}
	return nil
}

// balanceJSON is an object of "timings show --json". Times are in seconds.
type balanceJSON struct {
	Label          string  `json:"label"`
	Tests          int     `json:"tests"`
	Seconds        float64 `json:"seconds"`
	Shards         int     `json:"shards"`
	SlowestSeconds float64 `json:"slowest_seconds"`
	IdealSeconds   float64 `json:"ideal_seconds"`
	Balance        float64 `json:"balance"` // slowest / ideal
	LongestTest    string  `json:"longest_test"`
	LongestSeconds float64 `json:"longest_seconds"`
	SuggestShards  int     `json:"suggested_shards"`
	Limit          string  `json:"limit"`
}

func (p *program) showJSON(all []suite) error {
	objects := []balanceJSON{}
	for _, b := range all {
		objects = append(objects, balanceJSON{b.Label, b.Tests, b.Sum.Seconds(), b.Shards,
			b.Slowest.Seconds(), b.Ideal.Seconds(), b.Ratio(), b.Longest, b.Takes.Seconds(), b.Suggest, b.Limit()})
	}
	encoder := json.NewEncoder(p.stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(objects)
}

func (p *program) timingsApplyCommand() *cobra.Command {
	var dryRun bool
	var worth float64
	cmd := &cobra.Command{
		Use:   "apply [directory]...",
		Short: "Write the shard_count that would serve into BUILD files",
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := p.balances(args, worth)
			if err != nil {
				return err
			}
			return p.applyShards(all, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would change, and change nothing")
	cmd.Flags().Float64Var(&worth, "worth", 5, worthUsage)
	return cmd
}

func (p *program) applyShards(all []suite, dryRun bool) error {
	changed := 0
	for _, b := range all {
		declared := b.pkg.Build.Target(b.target)
		switch {
		case b.Suggest == b.Shards && declared.Shards >= 0:
		case declared.Kind == "" || declared.Shards < 0:
			fmt.Fprintf(p.stderr, "pgcell timings: %s: not changed: %s has no plain shard_count of it; %d would serve\n",
				b.Label, filepath.Base(b.pkg.Build.Path), b.Suggest)
		default:
			changed++
			fmt.Fprintf(p.stdout, "%s: shard_count %d, was %d: %d tests take %s s, the longest %s s\n", b.Label,
				b.Suggest, b.Shards, b.Tests, shard.FormatSeconds(shard.Round(b.Sum)), shard.FormatSeconds(b.Takes))
			b.pkg.Build.SetShards(b.target, b.Suggest)
		}
		if dryRun {
			continue
		}
		if err := b.pkg.Build.Save(); err != nil {
			return failed("%w", err)
		}
	}
	fmt.Fprintf(p.stdout, "%d of %d suites changed\n", changed, len(all))
	return nil
}
