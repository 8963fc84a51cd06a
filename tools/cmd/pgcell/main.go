// Command pgcell runs PostgreSQL-backed test suites in parallel on Bazel.
//
// Goals: the flags that people know from pytest and pytest-xdist; results by test, not by target;
// one closing line that is the same for fresh and for cached results. Non-goals: deciding what has to
// run again, and where: that is Bazel's; no flag of it changes a cache key, save a filter by name.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/cimatrix"
	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/compare"
	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/doctor"
	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/exec"
	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/explain"
	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/gc"
	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/timings"
	"github.com/pgcell/pgcell/tools/internal/child"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/gohook"
	"github.com/pgcell/pgcell/tools/internal/netns"
	"github.com/pgcell/pgcell/tools/internal/split"
	"github.com/pgcell/pgcell/tools/internal/version"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// now is the clock; the tests stop it.
var now = time.Now

func main() {
	netns.Become()
	switch filepath.Base(os.Args[0]) {
	case gohook.Name:
		os.Exit(gohook.Run(os.Args[1:], os.Environ(), os.Stderr))
	case split.Name:
		os.Exit(split.Run(os.Getenv, os.Stdout, os.Stderr))
	case split.GroupName:
		os.Exit(split.RunGroup(os.Args[1:], os.Environ(), os.Stderr))
	case child.WatchName:
		os.Exit(child.Watch(os.Args[1:], os.Stdin, exec.RemoveFiles))
	}
	cli.OutliveReaders()
	os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}

// execute is the whole command: args without the program's name, env as in os.Environ. It returns the
// exit code.
func execute(args []string, stdin io.Reader, stdout, stderr io.Writer, env []string) int {
	p := &cli.Process{Stdout: stdout, Stderr: stderr, Env: env, Now: now}
	config := &workspace.Config{}
	var written []string // arguments of "pgcell run"
	if len(args) > 0 && args[0] == "run" {
		written = args[1:]
		all, read, err := withAddopts(p, written)
		if err != nil {
			return cli.Report(stderr, "pgcell run", err)
		}
		args, config = append([]string{"run"}, all...), read
	}
	root := rootCommand(p, written, config)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteC()
	return cli.Report(stderr, cmd.CommandPath(), err)
}

const long = `Run PostgreSQL-backed tests in parallel, each in a database of its own.

In a Bazel workspace, "pgcell run" runs the tests. Without Bazel, "pgcell exec -- COMMAND" runs any test
command, such as "pgcell exec -- go test ./...", and gives each test process a database of its own. Go tests
that call pgcell.New need neither of them: "go test ./..." and "bazel test //..." run them.

Documentation: https://github.com/pgcell/pgcell`

func rootCommand(p *cli.Process, written []string, config *workspace.Config) *cobra.Command {
	root := &cobra.Command{
		Use:           "pgcell",
		Short:         "Run PostgreSQL-backed tests in parallel, each in a database of its own",
		Long:          long,
		Version:       version.String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown command %q: --help lists the commands", args[0])
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			return errors.New(`no command given: "run" runs tests with Bazel, "exec" runs any test command; --help lists all commands`)
		},
	}
	root.SetVersionTemplate("pgcell {{.Version}}\n")
	root.Flags().Bool("version", false, "print the version") // else cobra gives it the short name -v
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if cmd.Name() == "run" {
			return cli.Usage("%w: --help lists the flags; flags for Bazel itself go after --", err)
		}
		return cli.Usage("%w: --help lists the flags", err)
	})
	root.AddCommand(runCommand(p, written, config), compare.Command(p), exec.Command(p), doctor.Command(p), gc.Command(p),
		timings.Command(p), cimatrix.Command(p), explain.Command(p), &cobra.Command{
			Use:   "version",
			Short: "Print the version",
			Args:  cobra.NoArgs,
			Run:   func(c *cobra.Command, _ []string) { fmt.Fprintln(c.OutOrStdout(), "pgcell", version.String()) },
		})
	return root
}
