package run

import (
	"fmt"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/cli"
)

// verdict gives the exit code that a call asks for.
func (s *session) verdict(c *call) int {
	counts := c.run.Counts()
	switch code := c.exit; {
	case s.stopped:
		return cli.Interrupted
	case s.limit.reached:
		return cli.Failed
	case code == bazel.ExitInterrupted:
		return cli.Interrupted
	case code == bazel.ExitNoTests:
		return cli.NoTests
	case code == bazel.ExitUsage:
		return cli.WrongUsage
	case code == bazel.ExitTestsFailed, code == bazel.ExitOK && counts.Failed > 0:
		return cli.Failed
	case code == bazel.ExitBuildFailed:
		return c.buildFailure()
	case code != bazel.ExitOK:
		return cli.BuildFailed
	case counts.Total() == 0 && !c.run.Unknown(), len(c.missing()) > 0:
		return cli.NoTests
	}
	return cli.Passed
}

// buildFailure tells apart what Bazel reports as a failed build: a target that does not exist is wrong
// usage, a directory without any is no tests.
func (c *call) buildFailure() int {
	switch reason, bad := c.badPattern(); {
	case !bad:
		return cli.BuildFailed
	case strings.HasPrefix(reason, "no targets found beneath"):
		return cli.NoTests
	case strings.HasPrefix(reason, "no such "): // target, package
		return cli.WrongUsage
	}
	return cli.BuildFailed
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

// missing gives the names that were asked for and have no result, as far as results tell of names.
func (c *call) missing() []string {
	if c.Derived || c.run.Unknown() {
		return nil
	}
	var missing []string
	for _, name := range c.Names {
		if !c.run.Has(name) {
			missing = append(missing, name)
		}
	}
	return missing
}

// explain gives one sentence on a verdict that the results do not explain by themselves.
func (s *session) explain(c *call, code int) string {
	where := strings.Join(c.Patterns, " ")
	switch code {
	case cli.Interrupted:
		if n := c.run.Interrupted(); n > 0 {
			return fmt.Sprintf("interrupted: %d shards have no result", n)
		}
		return "interrupted: the results are not complete"
	case cli.NoTests:
		if names := c.missing(); len(names) > 0 && len(c.run.Shards) > 0 {
			return fmt.Sprintf("no test %s in %s: names are matched whole, and case counts", strings.Join(names, ", "), where)
		}
		return fmt.Sprintf("no tests found in %s", where)
	case cli.WrongUsage:
		if reason, bad := c.badPattern(); bad {
			return fmt.Sprintf("cannot find %s: %s", where, reason)
		}
		return "Bazel does not accept the flags: its message is above"
	case cli.BuildFailed:
		return s.explainBuild(c)
	}
	return ""
}

// explainBuild gives the sentence for a build that failed, or a Bazel that did.
func (s *session) explainBuild(c *call) string {
	switch {
	case c.exit == bazel.ExitLocked && s.o.NoWait:
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
