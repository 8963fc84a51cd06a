package timings

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/pgcell/pgcell/tools/internal/cli"
)

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
