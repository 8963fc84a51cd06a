package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagSpec is one flag of "pgcell run". The table of them feeds parsing, the help text, shell completion and
// docs/running.md.
type flagSpec struct {
	group  string // heading in docs/running.md
	name   string
	short  string
	alias  string // another long name, taken and not shown in the help text
	value  string // what the value is called; empty for a switch
	usage  string // for the help text; lines of at most 70 characters
	more   string // for docs/running.md alone
	values []string
	target func(o *options) any // *string or *bool
	preset string               // default of a *string
}

const (
	groupWhich    = "Which tests"
	groupParallel = "How many at once"
	groupAgain    = "When to stop, what to repeat"
	groupShow     = "What is shown"
	groupFiles    = "What is written"
	groupDatabase = "Databases"
	groupBazel    = "Bazel"
)

// runFlags is the table, in the order of the help text.
var runFlags = []flagSpec{
	{
		group: groupParallel, name: "numprocesses", short: "n", value: "N", preset: "auto", values: []string{"auto",
			"logical", "0"},
		usage: "run N shards at once: a number (more than cores is allowed), auto\n" +
			"(chosen for this machine), logical (one per logical CPU), 0 (in series)",
		more: "N is not part of any cache key, so cached results stay valid. " +
			"The number of shards of a suite is `shard_count` in its BUILD file.",
		target: func(o *options) any { return &o.numprocesses },
	},
	{
		group: groupParallel, name: "serial",
		usage:  "run in series, one shard after the other; the same as -n 0",
		target: func(o *options) any { return &o.serial },
	},
	{
		group: groupParallel, name: "dist", value: "MODE", preset: "load", values: []string{"load", "loadfile",
			"worksteal", "no"},
		usage: "how tests are divided: load (the shards that the suites declare),\n" +
			"loadfile (each suite in one process), worksteal (more shards than\n" +
			"workers, so that no worker idles at the end), no (in series)",
		more: "`load`: a free worker takes the next shard of any suite. `loadfile`: a suite's shards are joined " +
			"(Bazel's `--test_sharding_strategy=disabled`), for tests of one suite that must share a process. " +
			"`worksteal`: each " +
			"suite is cut into four shards for each worker, at most 50 (`forced=N`), longest tests first where times are " +
			"recorded. A suite with `serial_only = True` still runs in one process, alone. " +
			"`loadfile` and `worksteal` have cached results of their own, because their shards differ. `no` is `-n 0`.",
		target: func(o *options) any { return &o.dist },
	},
	{
		group: groupAgain, name: "maxfail", value: "N",
		usage: "stop after N failed tests, over all suites and shards; 0: never\n" +
			"(default 3, in series 0)",
		more: "The command counts failures while the tests run; the tests do not know of the limit, so no cached result " +
			"changes. Tests that ran when the limit was reached are listed as interrupted and not counted. With --stress " +
			"the default is 0.",
		target: func(o *options) any { return &o.maxfailText },
	},
	{
		group: groupAgain, name: "exitfirst", short: "x",
		usage:  "stop at the first failed test; the same as --maxfail 1",
		target: func(o *options) any { return &o.exitFirst },
	},
	{
		group: groupWhich, name: "keyword", short: "k", value: "EXPR",
		usage: "run only tests whose names match EXPR: words with and, or, not and\n" +
			"parentheses; a word also matches the name of a file or a suite",
		more: "Case does not matter, as with pytest. The names of top-level tests are read from the source files. If all " +
			"tests of a suite match, the results of a full run are used. Otherwise the part has cached results of its own.",
		target: func(o *options) any { return &o.keyword },
	},
	{
		group: groupWhich, name: "markers", short: "m", value: "EXPR",
		usage: "run only suites of a category: a folder's name, a tag, serial_only or\n" +
			"parallel_safe, with and, or, not and parentheses",
		more: "Suites with the tag `serial_only`, `exclusive` or `exclusive-if-local` are `serial_only`; all others are `parallel_safe`. A word " +
			"is an error if it is neither a folder, nor a tag, nor one of the markers in `.pgcell.toml`.",
		target: func(o *options) any { return &o.markers },
	},
	{
		group: groupWhich, name: "lf", alias: "last-failed",
		usage:  "run only suites with a test that failed in its last run; all suites\nif there are none",
		more:   "Tests are not filtered by name: the shards of these suites that passed come from the cache, the others run.",
		target: func(o *options) any { return &o.lastFailed },
	},
	{
		group: groupWhich, name: "ff", alias: "failed-first",
		usage:  "run the suites that --lf selects first, then all others",
		target: func(o *options) any { return &o.failedFirst },
	},
	{
		group: groupWhich, name: "all",
		usage:  "run all tests of the workspace, even those that .pgcell.toml excludes",
		target: func(o *options) any { return &o.all },
	},
	{
		group: groupWhich, name: "collect-only", alias: "co",
		usage:  "list the tests without running them",
		more:   "Top-level Go tests are read from the source files. A test of another kind is listed by its label.",
		target: func(o *options) any { return &o.collectOnly },
	},
	{
		group: groupAgain, name: "stress", value: "N",
		usage:  "run each test N times and list those that sometimes fail",
		more:   "Nothing comes from the cache. Each run of a test is counted.",
		target: func(o *options) any { return &o.stressText },
	},
	{
		group: groupAgain, name: "rerun-fails", alias: "reruns", value: "N",
		usage:  "run a failed shard again, up to N times; a test that then passes\nis counted as passed and listed as flaky",
		target: func(o *options) any { return &o.rerunText },
	},
	{
		group: groupAgain, name: "no-cache",
		usage:  "run tests even if their results are cached",
		more:   "Build outputs still come from the cache.",
		target: func(o *options) any { return &o.noCache },
	},
	{
		group: groupShow, name: "verbose", short: "v",
		usage:  "print each test's name and result, and why each suite ran",
		target: func(o *options) any { return &o.verbose },
	},
	{
		group: groupShow, name: "quiet", short: "q",
		usage:  "print only failures and the closing line",
		target: func(o *options) any { return &o.quiet },
	},
	{
		group: groupShow, name: "show-output", short: "s", alias: "capture-no",
		usage:  "print the output of the tests when their shard ends",
		target: func(o *options) any { return &o.output },
	},
	{
		group: groupShow, name: "durations", value: "N", preset: "5",
		usage:  "list the N slowest tests, including cached ones; 0: all",
		more:   "The time that a test spent getting its database is shown beside its total time.",
		target: func(o *options) any { return &o.durationsText },
	},
	{
		group: groupShow, name: "durations-min", value: "SECONDS", preset: "0.1",
		usage:  "omit tests that took less from that list",
		target: func(o *options) any { return &o.durationsMinText },
	},
	{
		group: groupShow, name: "color", value: "WHEN", preset: "auto", values: []string{"auto", "yes", "no"},
		usage:  "colours: auto (on a terminal, unless NO_COLOR is set), yes, no",
		target: func(o *options) any { return &o.color },
	},
	{
		group: groupShow, name: "no-progress",
		usage:  "show no progress bar: print plain lines, as if to a file",
		target: func(o *options) any { return &o.noProgress },
	},
	{
		group: groupFiles, name: "report", value: "FILE",
		usage:  "write an HTML report, as one self-contained file",
		target: func(o *options) any { return &o.report },
	},
	{
		group: groupFiles, name: "junitxml", alias: "junit-xml", value: "FILE",
		usage:  "write all results as JUnit XML",
		target: func(o *options) any { return &o.junit },
	},
	{
		group: groupDatabase, name: "keep",
		usage: "keep the databases of failed tests and print how to reach them",
		more: "The server of a failed test keeps running, and the run waits, until you interrupt the run or remove the " +
			"server's directory; the printed line names it. --keep sets PGCELL_KEEP=1 for the tests, so their results are " +
			"cached separately, and makes the machine's /tmp visible in sandboxes (--sandbox_add_mount_pair=/tmp).",
		target: func(o *options) any { return &o.keep },
	},
	{
		group: groupDatabase, name: "postgres", value: "WHICH",
		usage: "the PostgreSQL to use: a major version (15), a source (host, npm,\n" +
			"archive, bundle), both (npm-15), or the directory of an installation;\n" +
			"several, as in 15,18, run one after the other",
		more: "The version is part of the cache key. [Several versions](how-to/postgres.md#several-versions-in-one-run) " +
			"in one run have results of their own.",
		target: func(o *options) any { return &o.postgres },
	},
	{
		group: groupBazel, name: "no-wait",
		usage:  "fail, instead of waiting, if another Bazel command runs here",
		target: func(o *options) any { return &o.noWait },
	},
}

// bindFlags makes the table's flags flags of cmd.
func bindFlags(cmd *cobra.Command, o *options) {
	f := cmd.Flags()
	f.SortFlags = false
	for _, spec := range runFlags {
		switch target := spec.target(o).(type) {
		case *bool:
			f.BoolVarP(target, spec.name, spec.short, false, spec.usage)
		case *string:
			f.StringVarP(target, spec.name, spec.short, spec.preset, spec.usage)
			f.Lookup(spec.name).Value = &textValue{target, spec.value}
		default:
			panic(fmt.Sprintf("flag --%s has a target of type %T: give it a *bool or a *string", spec.name, target))
		}
		if len(spec.values) > 0 {
			complete := cobra.FixedCompletions(spec.values, cobra.ShellCompDirectiveNoFileComp)
			_ = cmd.RegisterFlagCompletionFunc(spec.name, complete) // fails for an unknown flag alone
		}
	}
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		i := slices.IndexFunc(runFlags, func(spec flagSpec) bool { return spec.alias != "" && spec.alias == name })
		if i >= 0 {
			name = runFlags[i].name
		}
		return pflag.NormalizedName(name)
	})
}

// textValue is a string flag whose value has a name of its own in the help text.
type textValue struct {
	text *string
	kind string
}

func (v *textValue) Set(s string) error { *v.text = s; return nil }
func (v *textValue) String() string     { return *v.text }
func (v *textValue) Type() string       { return v.kind }
