package timings

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/shard"
)

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
