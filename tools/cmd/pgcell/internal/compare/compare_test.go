package compare_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/compare"
	"github.com/pgcell/pgcell/tools/internal/cli"
)

// mustProcess makes a workspace whose Bazel runs //a:a for 3 s in series, and for seconds where more runs at once; it
// ends with a code.
func mustProcess(t *testing.T, seconds, code string) (p *cli.Process, out, messages *strings.Builder) {
	t.Helper()
	root := t.TempDir()
	const event = `{"id":{"testResult":{"label":"//a:a"}},"testResult":{"status":"STATUS","testAttemptStartMillisEpoch":"1000",` +
		`"testAttemptDuration":"'$took's"}}`
	status := "PASSED"
	if code != "0" {
		status = "FAILED"
	}
	script := `#!/bin/sh
took=` + seconds + `.000
for a; do case $a in --build_event_json_file=*) events=${a#*=};; --local_test_jobs=1) took=3.000;; esac; done
echo '` + strings.Replace(event, "STATUS", status, 1) + `' > "$events"
exit ` + code + "\n"
	for name, text := range map[string]string{"MODULE.bazel": "", "bazel": script} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	out, messages = new(strings.Builder), new(strings.Builder)
	return &cli.Process{
		Stdout: out, Stderr: messages, Now: time.Now,
		Env: []string{"PATH=" + os.Getenv("PATH"), "PGCELL_BAZEL=" + filepath.Join(root, "bazel"),
			"BUILD_WORKSPACE_DIRECTORY=" + root, "XDG_CACHE_HOME=" + filepath.Join(root, "cache")},
	}, out, messages
}

func TestRun(t *testing.T) {
	t.Parallel()
	p, out, messages := mustProcess(t, "2", "0")
	if err := compare.Run(p, "4", 2, nil); err != nil {
		t.Fatalf("Run: %v\n%s%s", err, out, messages)
	}
	want := `suite     serial   parallel  in parallel it
//a:a      3.00s      2.00s  saves 33 %
all        3.00s      2.00s  saves 33 %
held back: //a:a alone takes 2.00s of the 2.00s: give its suite more shards, or split its longest test
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("the table differs (-want +got):\n%s", diff)
	}
	for _, round := range []string{"round 1 of 2, in series", "round 2 of 2, in parallel"} {
		if !strings.Contains(messages.String(), "pgcell compare: "+round+"\n") {
			t.Errorf("messages lack %q:\n%s", round, messages)
		}
	}
}

// A failed run is shown, and nothing is compared.
func TestFailedRun(t *testing.T) {
	t.Parallel()
	p, out, messages := mustProcess(t, "2", "3")
	if got := cli.Report(messages, "pgcell compare", compare.Run(p, "4", 1, nil)); got != cli.Failed {
		t.Errorf("exit code %d, want 1", got)
	}
	if !strings.Contains(out.String(), "0 passed, 1 failed, 0 skipped\n") || strings.Contains(out.String(), "serial") {
		t.Errorf("output is not that of the failed run:\n%s", out)
	}
}

// What is slower is no negative percentage.
func TestSlower(t *testing.T) {
	t.Parallel()
	p, out, messages := mustProcess(t, "28", "0")
	if err := compare.Run(p, "4", 2, nil); err != nil {
		t.Fatalf("Run: %v\n%s%s", err, out, messages)
	}
	if want := "all        3.00s     28.00s  takes 9.3 times as long\n"; !strings.Contains(out.String(), want) {
		t.Errorf("output lacks %q:\n%s", want, out)
	}
}

// Medians count, not the luckiest run; where rounds of the two ways overlap there is no verdict.
func TestNoise(t *testing.T) {
	t.Parallel()
	for parallel, want := range map[string]string{
		"1 20 9": "all        3.00s      9.00s  takes as long, within the noise\n", // the first one is quicker than 3 s
		"9 2 2":  "all        3.00s      2.00s  takes as long, within the noise\n",
		"1 2 1":  "all        3.00s      1.00s  saves 67 %\n",
		"1":      "all        3.00s      1.00s  saves 67 %\none round does not tell differences from noise: take --rounds 3 or more\n",
	} {
		p, out, messages := mustProcess(t, "$(sed -n \"$(wc -c <rounds)p\" times)", "0")
		dir := p.Getenv("BUILD_WORKSPACE_DIRECTORY")
		script, err := os.ReadFile(filepath.Join(dir, "bazel"))
		if err != nil {
			t.Fatal(err)
		}
		// A parallel run is the second of each round.
		text := strings.Replace(string(script), "#!/bin/sh\n", "#!/bin/sh\ncd "+dir+
			"\ncase \"$*\" in *--local_test_jobs=1\\ *) ;; *) printf . >>rounds;; esac\n", 1)
		lines := strings.ReplaceAll(parallel, " ", "\n") + "\n"
		for name, content := range map[string]string{"bazel": text, "rounds": "", "times": lines} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o777); err != nil {
				t.Fatal(err)
			}
		}
		if err := compare.Run(p, "4", len(strings.Fields(parallel)), nil); err != nil {
			t.Fatalf("Run: %v\n%s%s", err, out, messages)
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s s in parallel: output lacks %q:\n%s", parallel, want, out)
		}
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	for load, want := range map[string]string{
		"17.03 21.80 20.52 3/900 1\n": "the load is 17.0 on 2 cores: other programs compete with the tests, and times vary; take " +
			"more --rounds, or an idle machine",
		"0.90 3.00 3.00 1/900 1\n": "", "": "",
	} {
		if got := compare.Busy(fstest.MapFS{"proc/loadavg": {Data: []byte(load)}}, 2); got != want {
			t.Errorf("Busy with load %q = %q, want %q", load, got, want)
		}
	}
	if got := compare.Busy(fstest.MapFS{}, 2); got != "" {
		t.Errorf("Busy without a load = %q, want nothing", got)
	}
}
