package divide

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/child"
	"github.com/pgcell/pgcell/tools/internal/gotest"
	"github.com/pgcell/pgcell/tools/internal/merge"
	"github.com/pgcell/pgcell/tools/internal/shard"
	"github.com/pgcell/pgcell/tools/internal/testargs"
)

// Finding is what runs of a failed test with other tests have shown.
type Finding struct {
	// Test is the top-level test that failed.
	Test string
	// Alone says that it passes alone: another test of its process disturbed it, or it is flaky.
	Alone bool
	// After are the tests without which it does not pass, in the order of the binary; with Alone, or if it always fails,
	// there are none.
	After []string
}

// String says it to people.
func (f Finding) String() string {
	switch {
	case f.Alone:
		return f.Test + " passes alone: another test of its process disturbed it, or it is flaky"
	case len(f.After) > 0:
		return f.Test + " passes only after " + strings.Join(f.After, ", ")
	default:
		return f.Test + " fails after all tests before it, too: it does not depend on order"
	}
}

// Group gives the tests to keep together, as Config.Groups takes them; nil for none.
func (f Finding) Group() []string {
	if len(f.After) == 0 {
		return nil
	}
	return append(slices.Clone(f.After), f.Test)
}

// Diagnose runs each of the tests that failed again, in processes of its own: alone, then after all tests that precede
// it in the binary, then after ever fewer of them. It prints nothing. The cost of a test that depends on others is about
// twice the time of all tests before it.
func Diagnose(ctx context.Context, c Config, failed []string) ([]Finding, error) {
	c.arguments = testargs.Parse(c.Args)
	c.signals = child.PassSignals()
	defer c.signals.Stop()
	filter, err := shard.ParseFilter(c.arguments.Flags["run"], c.arguments.Flags["skip"])
	if err != nil {
		return nil, fmt.Errorf("diagnose failed tests: %w", err)
	}
	output, _, ok, err := c.list(ctx)
	if err != nil || !ok {
		return nil, fmt.Errorf("diagnose failed tests: %s does not list its tests: %w", c.Binary, err)
	}
	d := diagnosis{config: &c, filter: filter, tests: filter.Select(shard.Listed(output))}
	var findings []Finding
	for _, test := range failed {
		f, err := d.find(ctx, test)
		if err != nil {
			return findings, fmt.Errorf("diagnose %s: %w", test, err)
		}
		findings = append(findings, f)
	}
	return findings, nil
}

type diagnosis struct {
	config *Config
	filter shard.Filter
	tests  []string
}

func (d *diagnosis) find(ctx context.Context, test string) (Finding, error) {
	f := Finding{Test: test}
	var err error
	if f.Alone, err = d.passes(ctx, nil, test); f.Alone || err != nil {
		return f, err
	}
	before := d.tests[:max(0, slices.Index(d.tests, test))]
	passes, err := d.passes(ctx, before, test)
	if !passes || err != nil {
		return f, err
	}
	f.After, err = d.needed(ctx, before, nil, test)
	return f, err
}

// needed gives those of some tests that a test needs before it, besides those that are kept in any case.
func (d *diagnosis) needed(ctx context.Context, from, kept []string, test string) ([]string, error) {
	if len(from) <= 1 {
		return from, nil
	}
	first, second := from[:len(from)/2], from[len(from)/2:]
	for _, half := range [][]string{first, second} {
		if passes, err := d.passes(ctx, slices.Concat(kept, half), test); err != nil {
			return nil, err
		} else if passes {
			return d.needed(ctx, half, kept, test)
		}
	}
	one, err := d.needed(ctx, first, slices.Concat(kept, second), test)
	if err != nil {
		return nil, err
	}
	other, err := d.needed(ctx, second, slices.Concat(kept, one), test)
	return slices.Concat(one, other), err
}

// passes reports whether a test passes after others, in one process.
func (d *diagnosis) passes(ctx context.Context, before []string, test string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	env, done, err := d.config.environment(0)
	if err != nil {
		return false, err
	}
	defer done()
	run, skip := d.filter.Narrow(append(slices.Clone(before), test))
	out := merge.NewOutput(merge.Form{}, func([]byte) {})
	args := []string{"-test.run=" + run, "-test.skip=" + skip}
	if timeout := d.config.arguments.Flags["timeout"]; timeout != "" {
		args = append(args, "-test.timeout="+timeout)
	}
	rest := d.config.arguments.Rest
	args = append(args, slices.Insert(slices.Clone(rest), d.config.arguments.Last, "-test.v=true", "-test.failfast=false")...)
	if _, err := d.config.start(ctx, process{args: args, stdout: out, stderr: out, env: env}); err != nil {
		return false, err
	}
	return out.Close().Tests[test].Verb == gotest.Pass, nil
}
