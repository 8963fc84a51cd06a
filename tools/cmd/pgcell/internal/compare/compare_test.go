package compare_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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
	want := `suite     serial   parallel    saved
//a:a      3.00s      2.00s     33 %
all        3.00s      2.00s     33 %
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
	if got := cli.Report(messages, compare.Run(p, "4", 1, nil)); got != cli.Failed {
		t.Errorf("exit code %d, want 1", got)
	}
	if !strings.Contains(out.String(), "0 passed, 1 failed, 0 skipped\n") || strings.Contains(out.String(), "serial") {
		t.Errorf("output is not that of the failed run:\n%s", out)
	}
}
