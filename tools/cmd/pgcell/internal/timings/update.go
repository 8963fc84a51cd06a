package timings

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/plan"
	"github.com/pgcell/pgcell/tools/internal/shard"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

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
	if len(suites) == 0 {
		return failed("no result of a test in %s: run the tests first; where a remote cache keeps the results, run them with "+
			"--remote_download_outputs=all", testlogs)
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
