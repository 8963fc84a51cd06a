package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/run"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

const runLong = `Run tests in parallel on Bazel, each in a database of its own.

A path is a directory (the packages in it and below), a file (the package it is in), or one of Bazel's
labels and patterns (//tests/ddl:ddl_test, //tests/...). path::TestName, path::TestName/sub and
::TestName run single tests. Without a path, //tests/... runs if the workspace has a directory tests,
otherwise //...; tests that .pgcell.toml excludes are left out.

Flags that you always give can stand in .pgcell.toml in the workspace's root: see
https://github.com/pgcell/pgcell/blob/main/docs/running.md.

A test runs only if its inputs changed; other results come from Bazel's cache and are counted as well.
The closing line counts top-level tests (a subtest is part of its test). A shard that dies outside of
its tests counts as one failed test. Ctrl-C stops the run; the summary covers the results until then.

Arguments after -- are passed to "bazel test" unchanged.`

const runExamples = `  pgcell run                                     all tests, over all cores
  pgcell run tests/integration/data_types/ -n 2
  pgcell run tests/integration/ddl::TestReplaceView -v
  pgcell run -k 'view and not slow' --stress 20
  pgcell run --lf --maxfail 1 --report report.html
  pgcell run --all -- --config=ci`

const runEnvironment = `
Environment:
  NO_COLOR      no colours, whatever its value; GITHUB_ACTIONS=true: failures as annotations as well
  PGCELL_BAZEL  the Bazel to call; default: bazel or bazelisk on PATH, else the workspace's tools/bazel
`

// runCommand is "pgcell run". written are its arguments as the user wrote them, config the workspace's settings.
func runCommand(p *cli.Process, written []string, config *workspace.Config) *cobra.Command {
	o := options{args: written, config: config}
	cmd := &cobra.Command{
		Use:     "run [flags] [path[::TestName]]... [-- bazel flags]",
		Short:   "Run tests in parallel, each in a database of its own",
		Long:    runLong,
		Example: runExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.paths = args
			if at := cmd.ArgsLenAtDash(); at >= 0 {
				o.paths, o.bazel = args[:at], slices.Clone(args[at:])
			}
			if err := o.check(); err != nil {
				return err
			}
			return run.Run(p, o.run())
		},
	}
	cmd.SetUsageTemplate(cmd.UsageTemplate() + "\nExit codes:\n" + exitCodes("  %-4d %s\n") + runEnvironment)
	bindFlags(cmd, &o)
	return cmd
}

// exitCodes lists the exit codes, each by a format for its number and its meaning.
func exitCodes(format string) string {
	var b strings.Builder
	for _, c := range cli.Codes {
		fmt.Fprintf(&b, format, c.Code, c.Meaning)
	}
	return b.String()
}

// withAddopts puts the flags of .pgcell.toml before those of the command line, so that the latter win. It also gives
// the file's other settings. Outside of a workspace there are none.
func withAddopts(p *cli.Process, args []string) ([]string, *workspace.Config, error) {
	w, err := workspace.Find(p)
	if err != nil {
		return args, &workspace.Config{}, nil // said later, unless it was for help
	}
	c, err := workspace.ReadConfig(w.Root)
	if err != nil {
		return args, &workspace.Config{}, err
	}
	for _, option := range c.Run.Addopts {
		if option == "--" {
			return args, c, cli.Usage(`%s: addopts: "--" cannot stand there: flags for Bazel go into .bazelrc`,
				workspace.ConfigFile)
		}
	}
	return append(slices.Clone([]string(c.Run.Addopts)), args...), c, nil
}
