package testargs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/testargs"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]struct {
		flag, value, rest string
		last              int
	}{
		"-test.run=A -test.v=test2json":          {"run", "A", "-test.v=test2json", 1},
		"--test.run A -test.short -x":            {"run", "A", "-test.short -x", 2},
		"-test.run=A -test.run=B":                {"run", "B", "", 0},
		"-test.v -test.count 3":                  {"v", "true", "-test.v -test.count 3", 3},
		"-dsn a=b -test.skip=B":                  {"skip", "B", "-dsn a=b", 2},
		"-dsn -test.skip=B":                      {"skip", "B", "-dsn", 1},
		"-test.run=A word -test.run=B":           {"run", "A", "word -test.run=B", 0},
		"-x=1 -- -test.run=B":                    {"run", "", "-x=1 -- -test.run=B", 1},
		"-test.timeout=3s -test.paniconexit0 -y": {"timeout", "3s", "-test.paniconexit0 -y", 2},
	} {
		a := testargs.Parse(strings.Fields(line))
		if a.Flags[want.flag] != want.value || strings.Join(a.Rest, " ") != want.rest || a.Last != want.last {
			t.Errorf("Parse(%s) = %+v, want %+v", line, a, want)
		}
	}
}

func TestMeaning(t *testing.T) {
	t.Parallel()
	for line, whole := range map[string]bool{
		"": false, "-test.bench=.": true, "-test.bench=": false, "-test.cpuprofile=x": true, "-test.timeout=x": true,
		"-test.list=.": true, "-test.coverprofile=x": false,
	} {
		if reason := testargs.Parse(strings.Fields(line)).Whole(); (reason != "") != whole {
			t.Errorf("%s: Whole() = %q, want a reason: %v", line, reason, whole)
		}
	}
	a := testargs.Parse([]string{"-test.timeout=1m", "-test.failfast", "-test.v=false", "-test.shuffle=on"})
	if verbose, _ := a.Verbose(); a.Timeout() != time.Minute || !a.FailFast() || verbose {
		t.Errorf("%+v: got %v, %v, %v, want a minute, to fail fast, and not to be verbose", a, a.Timeout(), a.FailFast(), verbose)
	}
	if got := a.Seed(time.Unix(0, 7)); got != "7" {
		t.Errorf("Seed() = %q, want that of the clock", got)
	}
}
