package main

import (
	"fmt"
	"strings"
)

// Bazel's exit codes, https://bazel.build/run/scripts#exit-codes
const (
	bazelOK          = 0
	bazelBuildFailed = 1
	bazelUsage       = 2
	bazelTestsFailed = 3
	bazelNoTests     = 4
	bazelInterrupted = 8
	bazelLocked      = 9
)

// verdict gives the exit code that a call asks for.
func (s *session) verdict(c *call) int {
	code := c.exit
	if c.finished != nil {
		code = c.finished.ExitCode
	}
	counts := c.run.Counts()
	switch {
	case s.stopped:
		return exitInterrupted
	case s.limit.reached:
		return exitFailed
	case code == bazelInterrupted:
		return exitInterrupted
	case code == bazelNoTests:
		return exitNoTests
	case code == bazelUsage:
		return exitUsage
	case code == bazelTestsFailed, code == bazelOK && counts.Failed > 0:
		return exitFailed
	case code == bazelBuildFailed:
		return c.buildFailure()
	case code != bazelOK:
		return exitBuild
	case counts.Total() == 0, len(c.missing()) > 0:
		return exitNoTests
	}
	return exitPassed
}

// buildFailure tells apart what Bazel reports as a failed build: a target that does not exist is wrong
// usage, a directory without any is no tests.
func (c *call) buildFailure() int {
	switch reason, bad := c.badPattern(); {
	case !bad:
		return exitBuild
	case strings.HasPrefix(reason, "no targets found beneath"):
		return exitNoTests
	case strings.HasPrefix(reason, "no such "): // target, package
		return exitUsage
	}
	return exitBuild
}

// badPattern reports whether a target pattern could not be expanded, and why. Bazel 7 gives the reason
// in the event where there are several patterns, and in a message alone where there is one.
func (c *call) badPattern() (reason string, bad bool) {
	for _, a := range c.run.Aborted {
		if a.Pattern != "" {
			bad = true
			if a.Description != "" {
				return a.Description, true
			}
		}
	}
	if bad && len(c.run.Errors) > 0 {
		reason = c.run.Errors[0]
	}
	return reason, bad
}

// missing gives the names that were asked for and have no result.
func (c *call) missing() []string {
	if c.derived {
		return nil
	}
	var missing []string
	for _, name := range c.names {
		if !c.run.Has(name) {
			missing = append(missing, name)
		}
	}
	return missing
}

// explain gives one sentence on a verdict that the results do not explain by themselves.
func (s *session) explain(c *call, code int) string {
	where := strings.Join(c.patterns, " ")
	switch code {
	case exitInterrupted:
		if n := c.run.Interrupted(); n > 0 {
			return fmt.Sprintf("interrupted: %d shards have no result", n)
		}
		return "interrupted: the results are not complete"
	case exitNoTests:
		if names := c.missing(); len(names) > 0 && len(c.run.Shards) > 0 {
			return fmt.Sprintf("no test %s in %s: names are matched whole, and case counts", strings.Join(names, ", "), where)
		}
		return fmt.Sprintf("no tests found in %s", where)
	case exitUsage:
		if reason, bad := c.badPattern(); bad {
			return fmt.Sprintf("cannot find %s: %s", where, reason)
		}
		return "Bazel does not accept the flags: its message is above"
	case exitBuild:
		return s.explainBuild(c)
	}
	return ""
}

// explainBuild gives the sentence for a build that failed, or a Bazel that did.
func (s *session) explainBuild(c *call) string {
	switch {
	case c.exit == bazelLocked && s.o.noWait:
		return "another Bazel command has this workspace, and --no-wait was given: try again when it has ended"
	case len(c.run.Unbuilt) > 0:
		return fmt.Sprintf("the build failed: %s: the reason is above", strings.Join(c.run.Unbuilt, ", "))
	case c.finished == nil:
		return fmt.Sprintf("Bazel ended with exit code %d and without a result: its message is above", c.exit)
	case c.finished.Message != "":
		return fmt.Sprintf("the build failed: %s", c.finished.Message)
	}
	return fmt.Sprintf("the build failed (Bazel's exit code %d): the reason is above", c.finished.ExitCode)
}
