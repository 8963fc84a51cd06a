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
			"(by this machine), logical (one for each logical CPU), 0 (in series)",
		more: "It is no part of any cache key: results stay valid whatever N is. " +
			"How many shards a suite has is `shard_count` in its BUILD file.",
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
		usage: "how tests are dealt: load (the shards that the suites declare),\n" +
			"loadfile (each suite in one process), worksteal (more shards than\n" +
			"workers, so that nobody waits for a long one), no (in series)",
		more: "`load`: a free worker takes the next shard of any suite. `loadfile`: a suite's shards are joined " +
			"(Bazel's `--test_sharding_strategy=disabled`), for tests of one suite that must share a process. " +
			"`worksteal`: each " +
			"suite is cut into four shards for each worker, at most 50 (`forced=N`), longest tests first where times are " +
			"recorded. " +
			"`loadfile` and `worksteal` have cached results of their own, as the shards are others. `no` is `-n 0`.",
		target: func(o *options) any { return &o.dist },
	},
	{
		group: groupAgain, name: "maxfail", value: "N",
		usage: "stop after N failed tests, over all suites and shards; 0: never\n" +
			"(default 3, in series 0)",
		more: "Counted while the tests run, not by them, so no cached result changes. What ran when the limit was " +
			"reached is listed as interrupted and not counted. With --stress the default is 0.",
		target: func(o *options) any { return &o.maxfailText },
	},
	{
		group: groupAgain, name: "exitfirst", short: "x",
		usage:  "stop at the first failed test; the same as --maxfail 1",
		target: func(o *options) any { return &o.exitFirst },
	},
	{
		group: groupWhich, name: "keyword", short: "k", value: "EXPR",
		usage: "only tests whose name holds EXPR: words with and, or, not and\n" +
			"parentheses; a word also matches the name of a file or a suite",
		more: "Case does not matter, as with pytest. The names are read from the source files (top-level tests). Suites of " +
			"which only a part is chosen have cached results of their own; wholly chosen ones use those of a full run.",
		target: func(o *options) any { return &o.keyword },
	},
	{
		group: groupWhich, name: "markers", short: "m", value: "EXPR",
		usage: "only suites of a category: a folder's name, a tag, serial_only or\n" +
			"parallel_safe, with and, or, not and parentheses",
		more: "`serial_only` are suites with the tag `serial_only` or `exclusive`; all others are `parallel_safe`. A " +
			"word that is " +
			"no folder, no tag and not among the markers of `.pgcell.toml` is an error.",
		target: func(o *options) any { return &o.markers },
	},
	{
		group: groupWhich, name: "lf", alias: "last-failed",
		usage:  "only suites with tests that failed when they last ran; all if none",
		more:   "No name filter is used: passed shards of these suites come from the cache, the failed ones run again.",
		target: func(o *options) any { return &o.lastFailed },
	},
	{
		group: groupWhich, name: "ff", alias: "failed-first",
		usage:  "the suites that --lf would run first, then all others",
		target: func(o *options) any { return &o.failedFirst },
	},
	{
		group: groupWhich, name: "all",
		usage:  "run everything in the workspace, also what .pgcell.toml leaves out",
		target: func(o *options) any { return &o.all },
	},
	{
		group: groupWhich, name: "collect-only", alias: "co",
		usage:  "list the tests and run none",
		more:   "Top-level Go tests, from the source files; another kind of test is one line with its label.",
		target: func(o *options) any { return &o.collectOnly },
	},
	{
		group: groupAgain, name: "stress", value: "N",
		usage:  "run each test N times and name those that pass and fail",
		more:   "Nothing comes from the cache. Each run of a test counts.",
		target: func(o *options) any { return &o.stressText },
	},
	{
		group: groupAgain, name: "rerun-fails", alias: "reruns", value: "N",
		usage:  "run a failed shard up to N times more; what passes then is\ncounted as passed and named as flaky",
		target: func(o *options) any { return &o.rerunText },
	},
	{
		group: groupAgain, name: "no-cache",
		usage:  "run again what is cached",
		more:   "Tests alone: what they are built from still comes from the cache.",
		target: func(o *options) any { return &o.noCache },
	},
	{
		group: groupShow, name: "verbose", short: "v",
		usage:  "print each test's name and result, and why each suite ran",
		target: func(o *options) any { return &o.verbose },
	},
	{
		group: groupShow, name: "quiet", short: "q",
		usage:  "print failures and the closing line alone",
		target: func(o *options) any { return &o.quiet },
	},
	{
		group: groupShow, name: "show-output", short: "s", alias: "capture-no",
		usage:  "print what the tests print, shard by shard as they end",
		target: func(o *options) any { return &o.output },
	},
	{
		group: groupShow, name: "durations", value: "N", preset: "5",
		usage:  "list the N slowest tests, cached ones included; 0: all",
		more:   "The time that a test spent in getting its database is shown beside its own.",
		target: func(o *options) any { return &o.durationsText },
	},
	{
		group: groupShow, name: "durations-min", value: "SECONDS", preset: "0.1",
		usage:  "leave out of that list what took less",
		target: func(o *options) any { return &o.durationsMinText },
	},
	{
		group: groupShow, name: "color", value: "WHEN", preset: "auto", values: []string{"auto", "yes", "no"},
		usage:  "colours: auto (on a terminal, unless NO_COLOR is set), yes, no",
		target: func(o *options) any { return &o.color },
	},
	{
		group: groupShow, name: "no-progress",
		usage:  "no bar on the terminal: plain lines, as into a file",
		target: func(o *options) any { return &o.noProgress },
	},
	{
		group: groupFiles, name: "report", value: "FILE",
		usage:  "write an HTML report, one file with all in it",
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
		more: "The server of a failed test stays, and the run with it, until its directory is removed, as the printed line " +
			"says, or the run is interrupted. Sets PGCELL_KEEP=1 for the tests, so results are cached apart, and shows " +
			"sandboxes the machine's /tmp (--sandbox_add_mount_pair=/tmp).",
		target: func(o *options) any { return &o.keep },
	},
	{
		group: groupDatabase, name: "postgres", value: "WHICH",
		usage: "the PostgreSQL to use: a major version (15), a source (host, npm),\n" +
			"both (npm-15), or the directory of an installation",
		more:   "The version is part of what results are cached by.",
		target: func(o *options) any { return &o.postgres },
	},
	{
		group: groupBazel, name: "no-wait",
		usage:  "fail when another Bazel command runs here, in place of waiting",
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
