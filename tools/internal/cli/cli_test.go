package cli_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/cli"
)

// Report names the command, says everything on one line, and turns an error into an exit code.
func TestReport(t *testing.T) {
	t.Parallel()
	broken := errors.New("no Bazel")
	for _, c := range []struct {
		err  error
		code int
		text string
	}{
		{nil, 0, ""},
		{errors.New("unknown flag: --x"), 2, "pgcell run: unknown flag: --x\n"},
		{cli.Usage("-n %s: want a number", "x"), 2, "pgcell run: -n x: want a number\n"},
		{cli.Broken("start: %w", broken), 4, "pgcell run: start: no Bazel\n"},
		{&cli.Error{Code: 1, Err: broken}, 1, "pgcell run: no Bazel\n"},
		{fmt.Errorf("wrapped: %w", cli.Usage("-k")), 2, "pgcell run: wrapped: -k\n"},
		{cli.Exit(130), 130, ""},
		{cli.Exit(0), 0, ""},
	} {
		var out strings.Builder
		if code := cli.Report(&out, "pgcell run", c.err); code != c.code || out.String() != c.text {
			t.Errorf("Report(%v) = %d, %q, want %d, %q", c.err, code, out.String(), c.code, c.text)
		}
	}
	if !errors.Is(cli.Broken("start: %w", broken), broken) {
		t.Error("errors.Is does not find the cause of an error with an exit code")
	}
}

// The last of several values counts, as it does for a program that the shell starts.
func TestGetenv(t *testing.T) {
	t.Parallel()
	p := &cli.Process{Env: []string{"A=1", "TMPDIR=/x", "A=2=3", "EMPTY="}}
	for name, want := range map[string]string{"A": "2=3", "EMPTY": "", "NONE": ""} {
		if got := p.Getenv(name); got != want {
			t.Errorf("Getenv(%s) = %q, want %q", name, got, want)
		}
	}
	if got := p.TempDir(); got != "/x" {
		t.Errorf("TempDir() = %q, want /x", got)
	}
	if got := new(cli.Process).TempDir(); got != os.TempDir() {
		t.Errorf("TempDir() without TMPDIR = %q, want %q", got, os.TempDir())
	}
}

func TestPlural(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0 tests", 1: "1 test", 2: "2 tests"} {
		if got := cli.Plural(n, "test"); got != want {
			t.Errorf("Plural(%d) = %q, want %q", n, got, want)
		}
	}
}
