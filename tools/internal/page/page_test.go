package page_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/page"
	"github.com/pgcell/pgcell/tools/internal/results"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const ms = time.Millisecond

// sample is a run with everything in it: several suites, one of them cached, failures with kept and dumped cells, a
// shard
// that died, skips, subtests.
func sample() *page.Run {
	var shards []*results.Shard
	for i := range 4 {
		start := noon.Add(time.Duration(i%2) * 2 * time.Second).Add(time.Duration(i/2) * 100 * ms)
		s := &results.Shard{
			Label: "//tests/ddl:ddl_test", Run: 1, Index: i, Total: 4, Attempt: 1, Status: bazel.Passed,
			Start: start, Duration: time.Duration(1+i) * 400 * ms,
		}
		for j := range 5 {
			name := fmt.Sprintf("TestView%d%d", i, j)
			at := start.Add(time.Duration(j) * 70 * ms)
			s.Tests = append(s.Tests, results.Test{Name: name, Duration: time.Duration(60+i) * ms, CellTime: 12 * ms})
			s.Cells = append(s.Cells, results.Cell{
				Test: name, Worker: s.Worker(), Start: at, End: at.Add(60 * ms), CellSeconds: 0.012, WaitSeconds: 0.02,
				Made: "recycled",
			})
		}
		shards = append(shards, s)
	}
	red := shards[1]
	red.Status, red.Log, red.Outputs = bazel.Failed, "/logs/test.log", "/logs/test.outputs"
	red.Tests[2].Outcome = results.Failed
	red.Tests[2].Output = "    view_test.go:12: rows <b>differ</b>\n    cell.go:7: pgcell: kept cell " +
		"test_db_w1_1a2b3c4d: psql 'postgres://pgcell@/test_db_w1_1a2b3c4d?host=/'\n"
	red.Tests[2].Subtests = []results.Test{{Name: "TestView12/sub", Outcome: results.Failed,
		Output: "    view_test.go:20: sub is wrong\n"}}
	red.Cells[2].Dump, red.Cells[2].Failed = "pgcell/TestView12.sql", true
	shards[2].Tests[0].Outcome, shards[2].Tests[0].Output = results.Skipped, "    view_test.go:3: needs PostgreSQL 18\n"
	shards = append(shards,
		&results.Shard{
			Label: "//tests/types:types_test", Run: 1, Total: 1, Attempt: 1, Status: bazel.Passed, Cached: true,
			Start: noon.Add(-time.Hour), Duration: 9 * time.Second, Tests: []results.Test{{Name: "TestArrays",
				Duration: 8 * time.Second}},
		},
		&results.Shard{
			Label: "//tests/dead:dead_test", Run: 1, Total: 1, Attempt: 1, Status: bazel.Failed,
			Start: noon.Add(ms), Duration: 500 * ms, Died: "died of signal 9",
		})
	past := []*history.Run{
		{Start: noon.Add(-time.Hour), End: noon.Add(-time.Hour + 9*time.Second), Passed: 21, Args: []string{"--no-cache"}},
		{Start: noon.Add(-2 * time.Hour), End: noon.Add(-2*time.Hour + 4*time.Second), Passed: 20, Failed: 1, ExitCode: 1},
	}
	return &page.Run{
		Title: "tests of shop", Start: noon, Took: 4 * time.Second, Workspace: "/ws", Program: "pgcell run",
		Args: []string{"--report", "r.html"}, Workers: 2, Why: "one for each core", Verdict: "19 passed, 2 failed, 1 skipped",
		Counts:   results.Counts{Passed: 19, Failed: 2, Skipped: 1},
		Subtests: results.Counts{Failed: 1},
		Shards:   shards, Past: past,
		Reasons: []page.Reason{{Why: "changed", Labels: []string{"//tests/ddl:ddl_test"}}},
		Flaky:   []string{"//tests/ddl:ddl_test::TestView00 failed 1 of 2 times"},
	}
}

func mustRender(t *testing.T, run *page.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.Write(&b, run); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func ensureContains(t *testing.T, html string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(html, part) {
			t.Errorf("the report lacks %s", part)
		}
	}
}

func TestReportHasAll(t *testing.T) {
	t.Parallel()
	html := mustRender(t, sample())
	ensureContains(t, html,
		`<title>✗ 19 passed, 2 failed, 1 skipped</title>`,
		`<summary><b>//tests/ddl:ddl_test::TestView12</b>`, `<code class="where">view_test.go:20</code>`,
		`rows &lt;b&gt;differ&lt;/b&gt;`, // what tests print is no HTML
		`<code>pgcell run //tests/ddl:ddl_test::TestView12</code> <button`, `<code>pgcell run //tests/dead:dead_test</code>`,
		`<code>psql &#39;postgres://pgcell@/test_db_w1_1a2b3c4d?host=/&#39;</code>`,
		`<a href="file:///logs/test.outputs/pgcell/TestView12.sql">TestView12.sql</a>`,
		`<a href="file:///logs/test.log">/logs/test.log</a>`, `<h3>TestView12/sub`, `died of signal 9`,
		`<dd id="cache">1 of 6 shards, 1 tests, 9.00 s not spent again</dd>`,
		`<dd id="cells">20 recycled; of the tests' `, `<div class="reason">view_test.go:3: needs PostgreSQL 18</div>`,
		`aria-label="worker 3, busy`, `//tests/types:types_test: cached, 9.00 s not spent again, 1 tests`,
		`slowest 1.60 s, ideal 1.00 s: 1.60 times`, `changed: <code>//tests/ddl:ddl_test</code>`,
		`TestView00 failed 1 of 2 times`, `20 passed, 1 failed, 0 skipped; pgcell run `)
	for _, outside := range []string{"http://", "https://", "src=", "@import", "<link", "ZgotmplZ"} {
		if strings.Contains(html, outside) {
			t.Errorf("the report refers to %s: it has to be one file with all in it", outside)
		}
	}
}

// A shard of which one test failed is not red as a whole; the test is.
func TestColours(t *testing.T) {
	t.Parallel()
	html := mustRender(t, sample())
	_, timeline, _ := strings.Cut(html, `id="timeline"`)
	for class, want := range map[string]int{
		`class="bar some"`: 1, `class="bar failed"`: 1, `class="bar passed"`: 3, `<i class="test red"`: 1,
		`class="some" style=`: 1, `class="failed" style=`: 0,
	} {
		if got := strings.Count(timeline, class); got != want {
			t.Errorf("%d times %s, want %d", got, class, want)
		}
	}
}

// A line to connect to a server that has gone is none; its dump is there.
func TestAServerThatHasGone(t *testing.T) {
	t.Parallel()
	run := sample()
	gone := "postgres://pgcell@/test_db_w1_1a2b3c4d?host=" + filepath.Join(t.TempDir(), "gone")
	red := run.Shards[1]
	red.Tests[2].Output = "    cell.go:7: pgcell: kept cell test_db_w1_1a2b3c4d: psql '" + gone + "' (its server stays)\n" +
		"    cell.go:7: pgcell: dumped cell test_db_w1_1a2b3c4d: pgcell/TestView12.sql (in the directory test.outputs beside " +
		"the test's log)\n"
	red.Cells[2].Kept = gone
	html := mustRender(t, run)
	ensureContains(t, html, "test_db_w1_1a2b3c4d was kept, and has gone with its server",
		"dumped cell test_db_w1_1a2b3c4d: pgcell/TestView12.sql in /logs/test.outputs", `TestView12.sql</a>`)
	if strings.Contains(html, "psql &#39;") {
		t.Error("there is a line to connect to a server that has gone")
	}
}

func TestDumpsInAZip(t *testing.T) {
	t.Parallel()
	run := sample()
	run.Shards[1].Outputs = "/logs/test.outputs/outputs.zip"
	ensureContains(t, mustRender(t, run),
		`<a href="file:///logs/test.outputs/outputs.zip">pgcell/TestView12.sql in outputs.zip</a>`)
}

func TestAnEmptyRun(t *testing.T) {
	t.Parallel()
	run := &page.Run{Title: "nothing", Verdict: "0 passed, 0 failed, 0 skipped", OK: true}
	html := mustRender(t, run)
	ensureContains(t, html, "<title>✓ 0 passed", `id="shown" for="search filter">0 tests`)
	for _, section := range []string{`id="failures"`, `id="timeline"`, `id="balance"`} {
		if strings.Contains(html, section) {
			t.Errorf("a run without tests has a section %s", section)
		}
	}
}

// Workers share no lane: what overlaps in time is in different rows.
func TestLanesDoNotOverlap(t *testing.T) {
	t.Parallel()
	html := mustRender(t, sample())
	lanes := strings.Split(html, `<div class="lane" role="listitem"`)[1:]
	if len(lanes) != 4 {
		t.Fatalf("%d lanes, want 3, and one for the cache", len(lanes))
	}
	for i, lane := range lanes {
		end := 0.0
		for _, m := range regexp.MustCompile(`class="bar \w+" href="#tests" tabindex="0" style="left:([\d.]+)%;width:([\d.]+)%"`).
			FindAllStringSubmatch(lane, -1) {
			var left, width float64
			if _, err := fmt.Sscan(m[1]+" "+m[2], &left, &width); err != nil {
				t.Fatal(err)
			}
			if left < end-0.02 {
				t.Errorf("lane %d: a bar begins at %v %%, before the last one ended at %v %%", i+1, left, end)
			}
			end = left + width
		}
		if end == 0 || end > 100.02 {
			t.Errorf("lane %d ends at %v %%", i+1, end)
		}
	}
}

// big is a run of 2,000 tests in 200 suites.
func big() *page.Run {
	run := sample()
	for i := range 200 {
		s := &results.Shard{
			Label: fmt.Sprintf("//tests/p%d:p_test", i), Run: 1, Total: 1, Attempt: 1, Status: bazel.Passed,
			Start: noon.Add(time.Duration(i) * 10 * ms), Duration: 100 * ms,
		}
		for j := range 10 {
			s.Tests = append(s.Tests, results.Test{Name: fmt.Sprintf("Test%d", j), Duration: 9 * ms})
		}
		run.Shards = append(run.Shards, s)
	}
	return run
}

func TestTwoThousandTestsAreSmall(t *testing.T) {
	t.Parallel()
	if size := len(mustRender(t, big())); size > 2<<20 {
		t.Errorf("the report has %d bytes, want at most 2 MiB", size)
	}
}

// write puts the report where a browser finds it.
func write(t *testing.T, run *page.Run) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, []byte(mustRender(t, run)), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}
