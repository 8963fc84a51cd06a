// Package timings is "pgcell timings": it records what tests take and balances shards by it.
package timings

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/plan"
	"github.com/pgcell/pgcell/tools/internal/shard"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

const long = `Record what tests take, and balance shards by it.

"update" writes the times of the last run of every suite into a file pgcell_times.txt in its package,
which pg_go_test hands to the shards. Commit these files. They are rounded, and a time changes only when it
is off by more than 30 % and 30 ms, so that noise changes nothing: a changed file runs its suites again.

"show" tells how well the shards are balanced, and what limits them. "apply" writes the shard_count that
would serve into BUILD files.`

// worthUsage is how much work is worth a shard.
const worthUsage = "seconds of tests that are worth a shard of its own, above 0"

// Command gives "pgcell timings" with its own commands.
func Command(p *cli.Process) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "timings",
		Short: "Record what tests take, and balance shards by it",
		Long:  long,
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return cli.Usage(`pgcell timings: want "update", "show" or "apply"`)
		},
	}
	cmd.AddCommand(updateCommand(p), showCommand(p), applyCommand(p))
	return cmd
}

func updateCommand(p *cli.Process) *cobra.Command {
	var testlogs string
	cmd := &cobra.Command{
		Use:   "update [directory]...",
		Short: "Write the times of the last run of every suite into the packages' files",
		RunE: func(_ *cobra.Command, args []string) error {
			space, err := workspace.Find(p)
			if err != nil {
				return err
			}
			if testlogs == "" {
				testlogs = filepath.Join(space.Root, "bazel-testlogs")
			}
			return update(p, space, testlogs, args)
		},
	}
	cmd.Flags().StringVar(&testlogs, "testlogs", "", "`directory` of results; default bazel-testlogs in the workspace")
	return cmd
}

// failed makes an error of a command other than run.
func failed(format string, args ...any) error {
	return &cli.Error{Code: cli.Failed, Err: fmt.Errorf(format, args...), Command: "pgcell timings"}
}

func update(p *cli.Process, space *workspace.Workspace, testlogs string, dirs []string) error {
	within, err := space.Within(dirs)
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
	for _, path := range slices.Sorted(maps.Keys(byPackage)) {
		pkg, err := plan.OpenPackage(space.Root, path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // another workspace's, or removed since
		}
		if err != nil {
			return failed("%w", err)
		}
		wrote, err := updatePackage(p, pkg, byPackage[path])
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
	fmt.Fprintf(p.Stdout, "%d of %d files of recorded times written\n", written, written+same)
	return nil
}

func updatePackage(p *cli.Process, pkg *plan.Package, suites []*plan.Suite) (written bool, err error) {
	if pkg.Damaged != nil {
		fmt.Fprintf(p.Stderr, "pgcell timings: %v: writing it anew\n", pkg.Damaged)
	}
	changed := pkg.Update(suites)
	if written, err = pkg.Save(); err != nil {
		return false, err
	}
	if written {
		fmt.Fprintf(p.Stdout, "%s: %d of %d tests changed\n", pkg.File(), changed, count(pkg.Times))
	}
	for _, s := range suites {
		if len(s.Missing) > 0 && pkg.Times[s.Target] != nil {
			fmt.Fprintf(p.Stderr, "pgcell timings: %s: no result of shard %s of %d: its tests keep the times that they have; "+
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

func showCommand(p *cli.Process) *cobra.Command {
	var asJSON bool
	var worth float64
	cmd := &cobra.Command{
		Use:   "show [directory]...",
		Short: "Tell how well the shards of each suite are balanced, and what limits them",
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := balances(p, args, worth)
			if err != nil {
				return err
			}
			if asJSON {
				return showJSON(p, all)
			}
			return showTable(p, all)
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
func balances(p *cli.Process, dirs []string, worth float64) ([]suite, error) {
	if worth <= 0 || worth > 1e6 {
		return nil, cli.Usage("--worth %v: want seconds, above 0", worth)
	}
	space, err := workspace.Find(p)
	if err != nil {
		return nil, err
	}
	within, err := space.Within(dirs)
	if err != nil {
		return nil, err
	}
	packages, err := plan.Recorded(space.Root)
	if err != nil {
		return nil, failed("%w", err)
	}
	ran := lastShards(space)
	var all []suite
	for _, pkg := range packages {
		if pkg.Damaged != nil {
			return nil, failed("%w", pkg.Damaged)
		}
		for _, target := range slices.Sorted(maps.Keys(pkg.Times)) {
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
func lastShards(space *workspace.Workspace) map[string]int {
	suites, err := plan.Read(filepath.Join(space.Root, "bazel-testlogs"))
	if err != nil {
		return nil // no run yet
	}
	ran := map[string]int{}
	for _, s := range suites {
		ran[s.Label()] = s.Shards
	}
	return ran
}

func showTable(p *cli.Process, all []suite) error {
	w := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
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
			fmt.Fprintf(p.Stdout, "%s: %s\n", b.Label, limit)
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

func showJSON(p *cli.Process, all []suite) error {
	objects := []balanceJSON{}
	for _, b := range all {
		objects = append(objects, balanceJSON{b.Label, b.Tests, b.Sum.Seconds(), b.Shards,
			b.Slowest.Seconds(), b.Ideal.Seconds(), b.Ratio(), b.Longest, b.Takes.Seconds(), b.Suggest, b.Limit()})
	}
	encoder := json.NewEncoder(p.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(objects)
}

func applyCommand(p *cli.Process) *cobra.Command {
	var dryRun bool
	var worth float64
	cmd := &cobra.Command{
		Use:   "apply [directory]...",
		Short: "Write the shard_count that would serve into BUILD files",
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := balances(p, args, worth)
			if err != nil {
				return err
			}
			return applyShards(p, all, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would change, and change nothing")
	cmd.Flags().Float64Var(&worth, "worth", 5, worthUsage)
	return cmd
}

func applyShards(p *cli.Process, all []suite, dryRun bool) error {
	changed := 0
	for _, b := range all {
		declared := b.pkg.Build.Target(b.target)
		switch {
		case b.Suggest == b.Shards && declared.Shards >= 0:
		case declared.Kind == "" || declared.Shards < 0:
			fmt.Fprintf(p.Stderr, "pgcell timings: %s: not changed: %s has no plain shard_count of it; %d would serve\n",
				b.Label, filepath.Base(b.pkg.Build.Path), b.Suggest)
		default:
			changed++
			fmt.Fprintf(p.Stdout, "%s: shard_count %d, was %d: %d tests take %s s, the longest %s s\n", b.Label,
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
	fmt.Fprintf(p.Stdout, "%d of %d suites changed\n", changed, len(all))
	return nil
}
