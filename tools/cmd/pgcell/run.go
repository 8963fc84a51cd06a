package main

import (
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

const runLong = `Run tests in parallel on Bazel, each in a database of its own.

A path is a directory (the packages in it and below), a file (the package it is in), or one of Bazel's
labels and patterns (//tests/ddl:ddl_test, //tests/...). path::TestName, path::TestName/sub and
::TestName run single tests. Without a path all tests run: //tests/... where the workspace has a
directory tests, else //..., without those that are tagged e2e.

Only what changed runs again; the results of the rest come from Bazel's cache and count all the same.
The closing line counts top-level tests (a subtest is part of its test). A shard that died outside of
its tests counts as one failed test.

What follows -- goes to "bazel test" as it is.`

const runExamples = `  pgcell run                                     all tests, over all cores
  pgcell run tests/integration/data_types/ -n 2
  pgcell run tests/integration/ddl::TestViews -v
  pgcell run --all -- --config=ci`

const runExitCodes = `
Exit codes:
  0    all passed
  1    at least one test failed
  2    wrong usage: a flag, a path, a target that does not exist
  4    the build failed, or Bazel could not run
  5    no tests were found
  130  interrupted (Ctrl-C)

Environment:
  PGCELL_BAZEL  the Bazel to call; default: bazel or bazelisk on PATH, else the workspace's tools/bazel
`

// options are the flags of "pgcell run".
type options struct {
	workers string
	serial  bool
	verbose bool
	output  bool
	all     bool
	noWait  bool
	paths   []string
	bazel   []string // what follows --
}

func (p *program) runCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:     "run [flags] [path[::TestName]]... [-- bazel flags]",
		Short:   "Run tests in parallel, each in a database of its own",
		Long:    runLong,
		Example: runExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.paths = args
			if at := cmd.ArgsLenAtDash(); at >= 0 {
				o.paths, o.bazel = args[:at], args[at:]
			}
			for _, flag := range o.bazel {
				if strings.HasPrefix(flag, "--build_event_json_file") {
					return usage("%s: pgcell run reads that file itself: for one of your own, take "+
						"--build_event_binary_file or --build_event_text_file", flag)
				}
			}
			return p.runTests(&o)
		},
	}
	cmd.SetUsageTemplate(cmd.UsageTemplate() + runExitCodes)
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.workers, "numprocesses", "n", "auto", "shards that run at once on this machine: a `number` (more\n"+
		"than cores is allowed), auto (one for each core), 0 (in series)")
	f.BoolVar(&o.serial, "serial", false, "run in series, one shard after the other; the same as -n 0")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print each test's name and result")
	f.BoolVarP(&o.output, "show-output", "s", false, "print what the tests print, shard by shard as they end")
	f.BoolVar(&o.all, "all", false, "run everything in the workspace, tests tagged e2e too")
	f.BoolVar(&o.noWait, "no-wait", false, "fail when another Bazel command runs in the workspace, in place of waiting")
	return cmd
}

// schedule gives the Bazel flags for the wanted number of workers. None of them touches a cache key.
func (o *options) schedule() ([]string, error) {
	cores := runtime.GOMAXPROCS(0) // as Bazel counts them: affinity and the container's quota included
	n := 0
	if o.workers != "auto" {
		var err error
		if n, err = strconv.Atoi(o.workers); err != nil || n < 0 {
			return nil, usage("-n %s: want a number from 0, or auto", o.workers)
		}
		if o.serial && n > 1 {
			return nil, usage("--serial and -n %d contradict each other: give one of them", n)
		}
	}
	switch {
	case o.serial, o.workers == "0", n == 1:
		return []string{"--local_test_jobs=1"}, nil
	case o.workers == "auto":
		return nil, nil
	case n <= cores:
		return []string{"--local_test_jobs=" + strconv.Itoa(n)}, nil
	default:
		// Bazel runs the least of the three: its jobs, what its resources allow, its test jobs.
		count := strconv.Itoa(n)
		return []string{"--jobs=" + count, "--local_resources=cpu=" + count, "--local_test_jobs=" + count}, nil
	}
}
