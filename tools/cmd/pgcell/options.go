package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/run"
	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/plan"
	"github.com/pgcell/pgcell/tools/internal/screen"
	"github.com/pgcell/pgcell/tools/internal/selection"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// options are the flags of "pgcell run", first as they were written, then as check understood them.
type options struct {
	args  []string // as the user wrote them
	paths []string
	bazel []string // what follows --

	numprocesses, dist                         string
	maxfailText, stressText, rerunText         string
	durationsText, durationsMinText            string
	keyword, markers, color                    string
	report, junit, postgres                    string
	serial, exitFirst, lastFailed, failedFirst bool
	all, collectOnly, noCache, verbose, output bool
	noProgress, keep, noWait, quiet            bool

	maxfail, stress, rerun, durations int
	fixedCount                        int // of numprocesses; 0 for a word
	durationsMin                      time.Duration
	keywordExpr, markersExpr          *selection.Expression

	config *workspace.Config
}

// run gives the checked options as the run takes them.
func (o *options) run() *run.Options {
	return &run.Options{
		Args: o.args,
		Selection: selection.Options{
			Paths: o.paths, All: o.all, Keyword: o.keywordExpr, Markers: o.markersExpr, LastFailed: o.lastFailed,
			FailedFirst: o.failedFirst, CollectOnly: o.collectOnly, Config: o.config,
		},
		Screen: screen.Options{
			Verbose: o.verbose, Quiet: o.quiet, Output: o.output, Color: o.color, NoProgress: o.noProgress || o.collectOnly,
			Durations: o.durations, DurationsMin: o.durationsMin,
		},
		Numprocesses: o.numprocesses, Serial: o.inSeries(), Dist: o.dist, Maxfail: o.failLimit(), Stress: o.stress,
		Rerun: o.rerun, NoCache: o.noCache, Keep: o.keep, Postgres: o.versions(), NoWait: o.noWait, Report: o.report,
		JUnit: o.junit, Bazel: o.bazel,
	}
}

// check reads the values and finds what contradicts itself. Every error is one line that says what to write instead.
func (o *options) check() error {
	for _, spec := range runFlags {
		if text, ok := spec.target(o).(*string); ok && len(spec.values) > 0 && spec.name != "numprocesses" &&
			!slices.Contains(spec.values, *text) {
			return cli.Usage("--%s %s: want %s", spec.name, *text, oneOf(spec.values))
		}
	}
	if err := o.checkNumbers(); err != nil {
		return err
	}
	if err := o.checkExpressions(); err != nil {
		return err
	}
	if err := o.checkContradictions(); err != nil {
		return err
	}
	for _, flag := range o.bazel {
		if strings.HasPrefix(flag, "--build_event_json_file") {
			return cli.Usage("%s: pgcell run reads that file itself: for one of your own, take "+
				"--build_event_binary_file or --build_event_text_file", flag)
		}
	}
	return nil
}

func oneOf(values []string) string {
	last := len(values) - 1
	return strings.Join(values[:last], ", ") + " or " + values[last]
}

// checkNumbers sets the fields that are numbers.
func (o *options) checkNumbers() error {
	fixed, err := plan.ParseWorkers(o.numprocesses)
	if err != nil {
		return err
	}
	o.fixedCount = fixed
	for _, number := range []struct {
		name, text string
		least      int
		value      *int
	}{
		{"maxfail", o.maxfailText, 0, &o.maxfail}, {"stress", o.stressText, 1, &o.stress},
		{"rerun-fails", o.rerunText, 0, &o.rerun}, {"durations", o.durationsText, 0, &o.durations},
	} {
		if number.text == "" {
			continue
		}
		n, err := strconv.Atoi(number.text)
		if err != nil || n < number.least {
			return cli.Usage("--%s %s: want a number from %d", number.name, number.text, number.least)
		}
		*number.value = n
	}
	seconds, err := strconv.ParseFloat(o.durationsMinText, 64)
	if err != nil || !(seconds >= 0) || seconds > 1e9 {
		return cli.Usage("--durations-min %s: want seconds, such as 0.5", o.durationsMinText)
	}
	o.durationsMin = time.Duration(seconds * float64(time.Second))
	return nil
}

func (o *options) checkExpressions() (err error) {
	if o.keywordExpr, err = selection.ParseExpression(o.keyword); err != nil {
		return cli.Usage("-k %q: %w", o.keyword, err)
	}
	if o.markersExpr, err = selection.ParseExpression(o.markers); err != nil {
		return cli.Usage("-m %q: %w", o.markers, err)
	}
	return nil
}

// checkContradictions looks at flags that exclude each other.
func (o *options) checkContradictions() error {
	several := o.fixedCount > 1
	for _, c := range []struct {
		wrong bool
		what  string
	}{
		{o.serial && several, "--serial and -n " + o.numprocesses + " contradict each other: give one of them"},
		{o.dist == "no" && several, "--dist no and -n " + o.numprocesses + " contradict each other: give one of them"},
		{o.dist == "worksteal" && o.inSeries(), "--dist worksteal and running in series contradict each other: give " +
			"one of them"},
		{o.exitFirst && o.maxfailText != "" && o.maxfail != 1,
			"-x and --maxfail " + o.maxfailText + " contradict each other: give one of them"},
		{o.quiet && o.verbose, "-q and -v contradict each other: give one of them"},
		{o.quiet && o.output, "-q and -s contradict each other: give one of them"},
		{o.lastFailed && o.failedFirst, "--lf and --ff contradict each other: give one of them"},
		{o.stress > 0 && o.rerun > 0, "--stress and --rerun-fails contradict each other: --stress shows every failure"},
		{o.collectOnly && o.stress > 0, "--collect-only runs nothing: leave --stress out"},
		{o.collectOnly && o.report != "", "--collect-only runs nothing: leave --report out"},
		{o.collectOnly && o.junit != "", "--collect-only runs nothing: leave --junitxml out"},
	} {
		if c.wrong {
			return cli.Usage("%s", c.what)
		}
	}
	if o.all && len(o.paths) > 0 {
		return cli.Usage("--all and %s: --all runs everything; leave the path out, or --all", o.paths[0])
	}
	return o.checkPostgres()
}

// postgresChoice is what the flag --@pgcell//tools/rules:postgres takes.
var postgresChoice = regexp.MustCompile(`^(auto|(host|npm|archive|bundle)(-\d+)?|\d+)$`)

// checkPostgres refuses at once what Bazel would refuse after it has loaded everything.
func (o *options) checkPostgres() error {
	versions := o.versions()
	for i, version := range versions {
		err := checkVersion(version)
		switch {
		case version == "":
			err = errors.New("nothing between two commas: separate versions by one comma, as in 15,18")
		case slices.Contains(versions[:i], version):
			err = fmt.Errorf("%s is there twice: give each version once", version)
		case err != nil && len(versions) > 1:
			err = fmt.Errorf("%s: %w", version, err)
		}
		if err != nil {
			return cli.Usage("--postgres %s: %w", o.postgres, err)
		}
	}
	return nil
}

// versions gives the values of --postgres.
func (o *options) versions() []string {
	if o.postgres == "" {
		return nil
	}
	versions := strings.Split(o.postgres, ",")
	for i, version := range versions {
		versions[i] = strings.TrimSpace(version)
	}
	return versions
}

func checkVersion(version string) error {
	if filepath.IsAbs(version) {
		for _, bin := range []string{"bin", "."} {
			if info, err := os.Stat(filepath.Join(version, bin, "postgres")); err == nil && info.Mode().IsRegular() {
				return nil
			}
		}
		return errors.New("it holds neither bin/postgres nor postgres: give the directory of an installation")
	}
	if !postgresChoice.MatchString(version) {
		return errors.New("want a major version such as 15, a source (host, npm, archive, bundle), both (npm-15), or an absolute directory")
	}
	major := version[strings.LastIndex(version, "-")+1:]
	if n, err := strconv.Atoi(major); err == nil && (n < binaries.MinMajor || n > binaries.MaxMajor) {
		return fmt.Errorf("want a version from %d to %d", binaries.MinMajor, binaries.MaxMajor)
	}
	return nil
}

// inSeries reports whether one shard at a time was asked for.
func (o *options) inSeries() bool { return o.serial || o.dist == "no" || o.fixedCount == 1 }

// failLimit gives the number of failed tests at which the run stops; 0 is never.
func (o *options) failLimit() int {
	switch {
	case o.exitFirst:
		return 1
	case o.maxfailText != "":
		return o.maxfail
	case o.config != nil && o.config.Run.Maxfail != nil:
		return *o.config.Run.Maxfail
	case o.inSeries(), o.stress > 0:
		return 0
	}
	return defaultMaxfail
}

const defaultMaxfail = 3
