// Package cimatrix is "pgcell ci-matrix": it divides the test targets among machines of a CI system.
package cimatrix

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/plan"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

const long = `Divide the test targets among machines of a CI system, balanced by recorded time.

It prints one line of JSON for a matrix, as of GitHub Actions: {"include":[{"machine":1,"targets":"//a:t //b:t",
"categories":["a","b"],"seconds":12.5}]}. Each target is on exactly one machine; machines without targets are
left out. A target without a recorded time counts as the mean of the others. Without a path, the targets are those
that "pgcell run" tests without a path.`

// Command gives "pgcell ci-matrix".
func Command(p *cli.Process) *cobra.Command {
	var machines int
	var by string
	cmd := &cobra.Command{
		Use:   "ci-matrix --machines N [path]...",
		Short: "Divide the test targets among machines of a CI system",
		Long:  long,
		RunE: func(_ *cobra.Command, args []string) error {
			if machines < 1 {
				return cli.Usage("--machines %d: want a number from 1", machines)
			}
			if by != "target" && by != "category" {
				return cli.Usage("--shard-by %s: want target or category", by)
			}
			return Run(p, machines, by, args)
		},
	}
	cmd.Flags().IntVar(&machines, "machines", 0, "`number` of machines")
	cmd.Flags().StringVar(&by, "shard-by", "target", "what stays together on one machine: target, or category")
	return cmd
}

func failed(format string, args ...any) error {
	return &cli.Error{Code: cli.BuildFailed, Err: fmt.Errorf(format, args...)}
}

// Run prints the matrix for so many machines. by is "target" or "category"; without paths all tests are divided.
func Run(p *cli.Process, machines int, by string, paths []string) error {
	space, err := workspace.Find(p)
	if err != nil {
		return err
	}
	targets, err := tests(p, space, paths)
	if err != nil {
		return err
	}
	units, err := units(space, targets, by)
	if err != nil {
		return err
	}
	return write(p, plan.Divide(units, machines), targets)
}

// tests asks Bazel for test targets, without those that no pattern runs (manual), and without a path those that
// .pgcell.toml excludes.
func tests(p *cli.Process, space *workspace.Workspace, paths []string) ([]*bazel.Rule, error) {
	patterns := []string{}
	for _, path := range paths {
		pattern, err := space.Pattern(path, false)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, pattern)
	}
	unwanted := []string{"manual"}
	if len(patterns) == 0 {
		config, err := workspace.ReadConfig(space.Root)
		if err != nil {
			return nil, err
		}
		patterns, unwanted = []string{space.Everything()}, append(unwanted, config.Run.ExcludeTags...)
	}
	client, err := bazel.NewClient(p, space.Root)
	if err != nil {
		return nil, err
	}
	var messages bytes.Buffer
	rules, err := client.Query([]string{"--noshow_progress", "--ui_event_filters=-info",
		"tests(" + strings.Join(patterns, " + ") + ")"}, &messages)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, failed("ask Bazel for the tests: %w\n%s", err, strings.TrimSpace(messages.String()))
	}
	if err != nil {
		return nil, failed("%w", err)
	}
	rules = slices.DeleteFunc(rules, func(r *bazel.Rule) bool { return slices.ContainsFunc(unwanted, r.HasTag) })
	if len(rules) == 0 {
		return nil, &cli.Error{Code: cli.NoTests, Err: fmt.Errorf("no tests in %s", strings.Join(patterns, " "))}
	}
	return rules, nil
}

// category gives the word of a target's tag category:WORD; without one its package's last folder, as pg_go_test does.
func category(r *bazel.Rule) string {
	pkg := r.Package()
	word := cmp.Or(pkg[strings.LastIndexByte(pkg, '/')+1:], r.Name())
	for _, tag := range r.Tags {
		if tagged, ok := strings.CutPrefix(tag, "category:"); ok {
			word = tagged
		}
	}
	return word
}

// recordedTimes gives the recorded time of each target in a workspace, and the mean of them all.
func recordedTimes(space *workspace.Workspace) (times map[string]time.Duration, mean time.Duration, err error) {
	packages, err := plan.Recorded(space.Root)
	if err != nil {
		return nil, 0, failed("%w", err)
	}
	times = map[string]time.Duration{}
	var sum time.Duration
	for _, pkg := range packages {
		if pkg.Damaged != nil {
			return nil, 0, failed("%w", pkg.Damaged)
		}
		for target, tests := range pkg.Times {
			for _, took := range tests {
				times["//"+pkg.Path+":"+target] += took
				sum += took
			}
		}
	}
	return times, sum / time.Duration(max(1, len(times))), nil
}

// units joins targets to what stays together, and adds up recorded times. A target without one counts as the mean.
func units(space *workspace.Workspace, targets []*bazel.Rule, by string) ([]plan.Unit, error) {
	times, mean, err := recordedTimes(space)
	if err != nil {
		return nil, err
	}
	byName := map[string]plan.Unit{}
	for _, t := range targets {
		name := t.Label
		if by == "category" {
			name = category(t)
		}
		took, known := times[t.Label]
		if !known {
			took = mean
		}
		u := byName[name]
		byName[name] = plan.Unit{
			Name: name, Targets: append(u.Targets, t.Label), Time: u.Time + took, Known: len(times) > 0,
		}
	}
	var all []plan.Unit
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		all = append(all, byName[name])
	}
	return all, nil
}

// machineJSON is one job of the matrix.
type machineJSON struct {
	Machine    int      `json:"machine"` // from 1
	Targets    string   `json:"targets"` // labels with spaces between, as a command line takes them
	Categories []string `json:"categories"`
	Seconds    float64  `json:"seconds"` // sum of the recorded times of tests, to a tenth
}

func write(p *cli.Process, machines []plan.Machine, targets []*bazel.Rule) error {
	categories := map[string]string{}
	for _, t := range targets {
		categories[t.Label] = category(t)
	}
	matrix := struct {
		Include []machineJSON `json:"include"`
	}{[]machineJSON{}}
	for i, machine := range machines {
		m := machineJSON{Machine: i + 1, Seconds: math.Round(machine.Time.Seconds()*10) / 10}
		var labels []string
		for _, u := range machine.Units {
			labels = append(labels, u.Targets...)
		}
		slices.Sort(labels)
		for _, label := range labels {
			if c := categories[label]; !slices.Contains(m.Categories, c) {
				m.Categories = append(m.Categories, c)
			}
		}
		m.Targets = strings.Join(labels, " ")
		matrix.Include = append(matrix.Include, m)
	}
	return json.NewEncoder(p.Stdout).Encode(matrix)
}
