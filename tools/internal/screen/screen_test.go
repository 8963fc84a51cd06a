package screen_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/plan"
	"github.com/pgcell/pgcell/tools/internal/results"
	"github.com/pgcell/pgcell/tools/internal/screen"
	"github.com/pgcell/pgcell/tools/internal/summary"
)

// newPrinter gives a printer and what it has printed.
func newPrinter(o screen.Options, env ...string) (*screen.Printer, *strings.Builder) {
	var out strings.Builder
	p := &cli.Process{Stdout: &out, Stderr: &out, Env: env}
	return screen.NewPrinter(p, screen.NewBar(p, o, &history.Times{}), "", o), &out
}

func ensure(t *testing.T, out *strings.Builder, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), out.String()); diff != "" {
		t.Errorf("output differs (-want +got):\n%s", diff)
	}
}

// red is a shard with a failed test, a failed subtest in it, and a passed one.
func red(t *testing.T) *results.Shard {
	t.Helper()
	log := filepath.Join(t.TempDir(), "test.log")
	if err := os.WriteFile(log, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	return &results.Shard{
		Label: "//a:a_test", Run: 1, Index: 1, Total: 2, Attempt: 1, Status: bazel.Failed, Duration: time.Second, Log: log,
		Tests: []results.Test{
			{Name: "TestBad", Outcome: results.Failed, Output: "    a_test.go:3: no\n", Subtests: []results.Test{
				{Name: "TestBad/sub", Outcome: results.Failed, Output: "    a_test.go:5: sub\n"},
			}},
			{Name: "TestGood", Duration: 20 * time.Millisecond},
		},
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	p, out := newPrinter(screen.Options{}, "GITHUB_ACTIONS=true")
	s := red(t)
	p.Shard(s, 1)
	p.Shard(s, 1) // a failure is printed once
	line := "FAILED //a:a_test shard 2/2 1.0s (2 tests)\n  log: " + s.Log + "\n"
	ensure(t, out, `
FAILED //a:a_test::TestBad [w1] 0.00s  a_test.go:5
::error file=a_test.go,line=5,title=//a%3Aa_test%3A%3ATestBad [w1]::a_test.go:3: no%0ATestBad/sub:%0Aa_test.go:5: sub
    a_test.go:3: no
    TestBad/sub 0.00s
      a_test.go:5: sub
`+line+line)
}

func TestVerbose(t *testing.T) {
	t.Parallel()
	p, out := newPrinter(screen.Options{Verbose: true, Color: "yes"})
	p.Shard(&results.Shard{
		Label: "//a:a", Run: 1, Total: 1, Attempt: 1, Status: bazel.Passed, Cached: true,
		Tests: []results.Test{{Name: "TestA"}, {Name: "TestS", Outcome: results.Skipped, Output: "    a_test.go:1: not here\n"}},
	}, 1)
	ensure(t, out, "\x1b[32mPASSED\x1b[0m //a:a::TestA [master] 0.00s (cached)\n"+
		"\x1b[33mSKIPPED\x1b[0m //a:a::TestS [master] 0.00s (cached): a_test.go:1: not here\n")
}

// A target that is cached as a whole gets one line; if a shard of it ran, each shard has its own.
func TestCachedTargets(t *testing.T) {
	t.Parallel()
	shard := func(label string, index int, cached bool) *results.Shard {
		return &results.Shard{Label: label, Run: 1, Index: index, Total: 2, Attempt: 1, Status: bazel.Passed, Cached: cached,
			Tests: []results.Test{{Name: "TestA"}}}
	}
	p, out := newPrinter(screen.Options{})
	p.Shard(shard("//a:a", 0, true), 1)
	p.Shard(shard("//b:b", 0, true), 1)
	p.Shard(shard("//a:a", 1, true), 1)
	p.Shard(shard("//b:b", 1, false), 1)
	ensure(t, out, `
PASSED //a:a (2 tests in 2 shards, cached)
PASSED //b:b shard 1/2 0.0s (1 test, cached)
PASSED //b:b shard 2/2 0.0s (1 test)
`)
}

func TestDeadShard(t *testing.T) {
	t.Parallel()
	p, out := newPrinter(screen.Options{})
	p.Shard(&results.Shard{Label: "//a:a", Run: 1, Total: 1, Attempt: 1, Status: bazel.Failed, Died: "died of signal 9"}, 2)
	ensure(t, out, `
FAILED //a:a 0.0s
  died of signal 9
    (its log is not on this machine)
  (attempt 1 of at most 2)
`)
}

func TestSections(t *testing.T) {
	t.Parallel()
	p, out := newPrinter(screen.Options{Durations: 1, DurationsMin: time.Millisecond})
	s := red(t)
	sum := summary.New([]summary.Call{{Run: &results.Run{Shards: []*results.Shard{s}}}},
		summary.Past{Known: &history.Times{}}, "")
	sum.Workers, sum.Took = plan.Series, 2*time.Second
	p.Shard(s, 1)
	out.Reset()
	p.Sections(sum)
	p.Closing(sum)
	ensure(t, out, `

slowest 1 test (of it for databases):
      0.02s            //a:a_test::TestGood [w1]
ran, new here: //a:a_test
subtests: 0 passed, 1 failed, 0 skipped

failed:
  //a:a_test::TestBad [w1]
run again: pgcell run //a:a_test::TestBad

0 of 1 targets cached, 2.0s
1 passed, 1 failed, 0 skipped
`)
}

// Without a terminal there is no bar, and colours come by --color alone.
func TestNoTerminal(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := &cli.Process{Stdout: f, Stderr: f}
	bar := screen.NewBar(p, screen.Options{}, &history.Times{})
	if bar.Active() {
		t.Error("a bar is drawn into a file")
	}
	bar.Draw()
	screen.NewPrinter(p, bar, "", screen.Options{Color: "auto"}).Shard(&results.Shard{Label: "//a:a", Run: 1, Total: 1,
		Attempt: 1, Status: bazel.Passed}, 1)
	text, err := os.ReadFile(f.Name())
	if want := "PASSED //a:a 0.0s (0 tests)\n"; err != nil || string(text) != want {
		t.Errorf("a file got %q, %v, want %q", text, err, want)
	}
}
