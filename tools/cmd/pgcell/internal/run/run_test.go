package run_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/run"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/selection"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// The events of a run of two shards, of which one has a failed test, and Bazel's exit codes.
const (
	built = `{"id":{"targetCompleted":{"label":"//a:a"}},"children":[{"testResult":{"shard":1}},{"testResult":{"shard":2}}],` +
		`"completed":{"success":true}}` + "\n"
	green = `{"id":{"testResult":{"label":"//a:a","run":1,"shard":1,"attempt":1}},"testResult":{"status":"PASSED",` +
		`"testAttemptDuration":"1.000s","testActionOutput":[{"name":"test.xml","uri":"file://ROOT/green.xml"}]}}` + "\n"
	red = `{"id":{"testResult":{"label":"//a:a","run":1,"shard":2,"attempt":1}},"testResult":{"status":"FAILED",` +
		`"testActionOutput":[{"name":"test.xml","uri":"file://ROOT/red.xml"}]}}` + "\n"
	noTarget = `{"id":{"pattern":{"pattern":["//..."]}},"aborted":{"reason":"LOADING_FAILURE","description":"no such target"}}` +
		"\n"
)

// mustWorkspace makes a workspace with a Bazel that reports events and ends with a code, and gives the process in which
// a run finds them, with its standard output.
func mustWorkspace(t *testing.T, events, code string) (*cli.Process, *strings.Builder) {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		"MODULE.bazel": "", "events": strings.ReplaceAll(events, "ROOT", root) +
			`{"id":{"buildFinished":{}},"finished":{"exitCode":{"code":` + code + `}},"lastMessage":true}` + "\n",
		"bazel": `#!/bin/sh
printf '%s\n' "$@" > args
for a; do case $a in --build_event_json_file=*) cp events "${a#*=}";; esac; done
exit ` + code + "\n",
		"green.xml": `<testsuites><testsuite><testcase name="TestA" time="1"/></testsuite></testsuites>`,
		"red.xml":   `<testsuites><testsuite><testcase name="TestB"><failure>no</failure></testcase></testsuite></testsuites>`,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	return &cli.Process{
		Stdout: &out, Stderr: &out, Now: func() time.Time { return time.Time{} },
		Env: []string{"PATH=" + os.Getenv("PATH"), "PGCELL_BAZEL=" + filepath.Join(root, "bazel"),
			"BUILD_WORKSPACE_DIRECTORY=" + root, "BUILD_WORKING_DIRECTORY=" + root, "XDG_CACHE_HOME=" + filepath.Join(root, "cache")},
	}, &out
}

// everything runs all tests in series.
func everything() *run.Options {
	return &run.Options{Selection: selection.Options{Config: &workspace.Config{}}, Serial: true, Dist: "load"}
}

// codeOf gives the exit code that an error carries.
func codeOf(err error) int {
	var coded *cli.Error
	if errors.As(err, &coded) {
		return coded.Code
	}
	return cli.Passed
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		events, bazel string
		want          int
		text          string
	}{
		"passed":        {built + green, "0", cli.Passed, "1 passed, 0 failed, 0 skipped"},
		"failed":        {built + green + red, "3", cli.Failed, "1 passed, 1 failed, 0 skipped"},
		"no tests":      {"", "4", cli.NoTests, "no tests found in //..."},
		"no results":    {"", "0", cli.NoTests, "no tests found in //..."},
		"build failed":  {"", "1", cli.BuildFailed, "the build failed (Bazel's exit code 1): the reason is above"},
		"bad target":    {noTarget, "1", cli.WrongUsage, "cannot find //...: no such target"},
		"bad flag":      {"", "2", cli.WrongUsage, "Bazel does not accept the flags: its message is above"},
		"Bazel crashed": {"", "37", cli.BuildFailed, "the build failed (Bazel's exit code 37): the reason is above"},
		"interrupted":   {built + green, "8", cli.Interrupted, "interrupted: the results are not complete"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, out := mustWorkspace(t, c.events, c.bazel)
			if got := codeOf(run.Run(p, everything())); got != c.want {
				t.Errorf("exit code %d, want %d", got, c.want)
			}
			if !strings.Contains(out.String(), c.text+"\n") {
				t.Errorf("output lacks %q:\n%s", c.text, out)
			}
		})
	}
}

// What failed is known to the next run, which calls its suite alone.
func TestLastFailed(t *testing.T) {
	t.Parallel()
	p, _ := mustWorkspace(t, built+green+red, "3")
	if got := codeOf(run.Run(p, everything())); got != cli.Failed {
		t.Fatalf("exit code %d, want 1", got)
	}
	root := p.Getenv("BUILD_WORKSPACE_DIRECTORY")
	answer := "#!/bin/sh\necho '<query><rule class=\"go_test\" name=\"//a:a\"/><rule class=\"go_test\" name=\"//b:b\"/></query>'\n"
	if err := os.WriteFile(filepath.Join(root, "bazel"), []byte(answer), 0o777); err != nil {
		t.Fatal(err)
	}
	o := everything()
	o.Selection.LastFailed, o.Selection.CollectOnly = true, true
	var out strings.Builder
	p.Stdout = &out
	if err := run.Run(p, o); err != nil {
		t.Fatal(err)
	}
	if want := "//a:a\n1 test in 1 suite\n"; out.String() != want {
		t.Errorf("--lf --collect-only printed %q, want %q", out.String(), want)
	}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	p, _ := mustWorkspace(t, built+green, "0")
	shards, err := run.Measure(p, everything())
	if err != nil || len(shards) != 1 || shards[0].Duration != time.Second {
		t.Errorf("Measure = %v, %v, want one shard of 1 s", shards, err)
	}
	p, out := mustWorkspace(t, built+red, "3")
	if _, err = run.Measure(p, everything()); codeOf(err) != cli.Failed || !strings.Contains(out.String(), "TestB") {
		t.Errorf("Measure of a failed run = %v, printed %q", err, out)
	}
}

// Files that cannot be written are found before anything runs.
func TestFilesAreCheckedFirst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		o    run.Options
		want string
	}{
		{run.Options{JUnit: "MODULE.bazel/junit.xml"}, "--junitxml MODULE.bazel/junit.xml: mkdir "},
		{run.Options{Report: "."}, "--report .: it is a directory: name a file, such as results.html"},
		{run.Options{JUnit: "."}, "--junitxml .: it is a directory: name a file, such as results.xml"},
	} {
		p, _ := mustWorkspace(t, built+green, "0")
		o := everything()
		o.JUnit, o.Report = c.o.JUnit, c.o.Report
		err := run.Run(p, o)
		if codeOf(err) != cli.WrongUsage || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("Run = %v, exit code %d, want 2 and %q", err, codeOf(err), c.want)
		}
		if _, err := os.Stat(filepath.Join(p.Getenv("BUILD_WORKSPACE_DIRECTORY"), "args")); err == nil {
			t.Errorf("%s: Bazel was called", c.want)
		}
	}
}

// A file that was not there is not there after a run that did not come to write it.
func TestCheckLeavesNothing(t *testing.T) {
	t.Parallel()
	p, out := mustWorkspace(t, "", "1")
	o := everything()
	o.Report = "out/report.html"
	o.Selection.Paths = []string{"nowhere"}
	_ = run.Run(p, o) // fails, for there is no such path
	if _, err := os.Stat(filepath.Join(p.Getenv("BUILD_WORKSPACE_DIRECTORY"), "out", "report.html")); err == nil {
		t.Errorf("an empty report was left behind:\n%s", out)
	}
}

// A file that cannot be written in the end makes a green run red.
func TestReportCannotBeWritten(t *testing.T) {
	t.Parallel()
	p, out := mustWorkspace(t, built+green, "0")
	o := everything()
	o.JUnit = "out/junit.xml"
	root := p.Getenv("BUILD_WORKSPACE_DIRECTORY")
	script, err := os.ReadFile(filepath.Join(root, "bazel"))
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(script), "\nexit", "\nrm -r out; touch out\nexit", 1)
	if err := os.WriteFile(filepath.Join(root, "bazel"), []byte(changed), 0o777); err != nil {
		t.Fatal(err)
	}
	if got := codeOf(run.Run(p, o)); got != cli.BuildFailed {
		t.Errorf("exit code %d, want 4", got)
	}
	if want := "pgcell run: write " + root + "/out/junit.xml: mkdir "; !strings.Contains(out.String(), want) {
		t.Errorf("output lacks %q:\n%s", want, out)
	}
}
