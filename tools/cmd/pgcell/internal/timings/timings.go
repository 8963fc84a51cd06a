// Package timings is "pgcell timings": it records what tests take and balances shards by it.
package timings

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/plan"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

const long = `Record how long tests take, and balance shards accordingly.

"update" writes the times of the last run of every suite into a file pgcell_times.txt in its package,
which pg_go_test passes to the shards. Commit these files. Because a changed file makes its suites run again,
times are rounded, and a recorded time changes only if a run differs from it by more than 30 % and 30 ms.

"show" prints how well the shards are balanced, and what limits them. "apply" writes the suggested shard_count
into BUILD files.`

// worthUsage is how much work is worth a shard.
const worthUsage = "seconds of tests that are worth a shard of its own, above 0"

// Command gives "pgcell timings" with its own commands.
func Command(p *cli.Process) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "timings",
		Short: "Record how long tests take, and balance shards",
		Long:  long,
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return cli.Usage(`want "update", "show" or "apply"`)
		},
	}
	cmd.AddCommand(updateCommand(p), showCommand(p), applyCommand(p))
	return cmd
}

// failed makes an error of a command other than run.
func failed(format string, args ...any) error {
	return &cli.Error{Code: cli.Failed, Err: fmt.Errorf(format, args...)}
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
	joinVersions(all)
	if len(all) == 0 {
		return nil, failed(`no recorded times: "pgcell timings update" writes them after a run`)
	}
	return all, nil
}

// joinVersions suggests the same number of shards for all suites that one declaration makes, one for each version of
// PostgreSQL: the largest.
func joinVersions(all []suite) {
	type declaration struct{ pkg, name string }
	largest := map[declaration]int{}
	of := func(s suite) declaration { return declaration{s.pkg.Path, s.pkg.Build.Target(s.target).Name} }
	for _, s := range all {
		if of(s).name != "" {
			largest[of(s)] = max(largest[of(s)], s.Suggest)
		}
	}
	for i := range all {
		if suggest := largest[of(all[i])]; suggest > 0 {
			all[i].Suggest = suggest
		}
	}
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
