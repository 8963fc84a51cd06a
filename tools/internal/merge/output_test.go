package merge_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/gotest"
	"github.com/pgcell/pgcell/tools/internal/merge"
)

// read passes a text through an Output, in pieces of a size, and gives what was passed on and the report.
func read(form merge.Form, text string, size int) (string, merge.Report) {
	var passed bytes.Buffer
	o := merge.NewOutput(form, func(p []byte) { passed.Write(p) })
	for piece := range slices.Chunk([]byte(text), size) {
		_, _ = o.Write(piece)
	}
	report := o.Close()
	return passed.String(), report
}

func TestOutputKeepsBackWhatIsSaidOnce(t *testing.T) {
	t.Parallel()
	const tests = "before\n=== RUN   TestA\n    a_test.go:1: log\n--- PASS: TestA (0.25s)\n"
	framed := strings.NewReplacer("===", "\x16===", "---", "\x16---").Replace(tests)
	for name, c := range map[string]struct {
		form               merge.Form
		text, passed       string
		verdict, cov, rest string
		none               bool
	}{
		"pass":            {text: tests + "PASS\n", passed: tests, verdict: "PASS"},
		"fail":            {text: "FAIL\n", verdict: "FAIL"},
		"died":            {text: tests + "panic: oh\n", passed: tests + "panic: oh\n"},
		"carriage return": {text: "PASS\r\n", verdict: "PASS"},
		"no end":          {text: tests + "PASS", passed: tests, verdict: "PASS"},
		"after":           {text: tests + "PASS\nmain ends\n", passed: tests, verdict: "PASS", rest: "main ends\n"},
		"user's verdict": {
			text: "=== RUN   TestA\nFAIL\n--- PASS: TestA (0.00s)\nPASS\n", verdict: "PASS",
			passed: "=== RUN   TestA\nFAIL\n--- PASS: TestA (0.00s)\n",
		},
		"coverage": {
			form: merge.Form{Covered: true}, text: "PASS\ncoverage: 1.5% of statements in ./...\nend\n",
			verdict: "PASS", cov: "coverage: 1.5% of statements in ./...", rest: "end\n",
		},
		"a test's coverage": {
			form: merge.Form{Covered: true}, text: "coverage: 1.5% of statements\nPASS\n", verdict: "PASS",
			passed: "coverage: 1.5% of statements\n",
		},
		"not built for coverage": {text: "coverage: 1.5% of statements\n", passed: "coverage: 1.5% of statements\n"},
		"no tests":               {text: merge.NoTests + "\nPASS\n", verdict: "PASS", none: true},
		"seed":                   {form: merge.Form{Seed: "7"}, text: "-test.shuffle 7\nPASS\n", verdict: "PASS"},
		"framed":                 {form: merge.Form{Framed: true}, text: framed + "\x16PASS\n", passed: framed, verdict: "PASS"},
		"framed after no end": {
			form: merge.Form{Framed: true}, text: framed + "text\x16PASS\n", passed: framed + "text", verdict: "PASS",
		},
		"framed, user's verdict": {
			form: merge.Form{Framed: true}, text: "PASS\nFAIL\n\x16PASS\n", passed: "PASS\nFAIL\n", verdict: "PASS",
		},
		"standard error": {form: merge.Form{Plain: true}, text: "PASS\n" + merge.NoTests + "\n", passed: "PASS\n", none: true},
		"tests run twice": {text: tests + "PASS\nbetween\n" + tests + "PASS\n",
			passed: tests + "PASS\nbetween\n" + tests, verdict: "PASS"},
		"long line": {text: strings.Repeat("x", 200_000) + "\nPASS\n", passed: strings.Repeat("x", 200_000) + "\n", verdict: "PASS"},
	} {
		for _, size := range []int{1, 7, 1 << 20} {
			if len(c.text) > 10_000 && size == 1 {
				continue
			}
			passed, r := read(c.form, c.text, size)
			got := []any{passed, r.Verdict, r.Coverage, string(r.After), r.NoTests}
			want := []any{c.passed, c.verdict, c.cov, c.rest, c.none}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, in pieces of %d: passed on, verdict, coverage, after, no tests (-want +got):\n%s", name, size, diff)
			}
		}
	}
}

func TestOutputKnowsOutcomes(t *testing.T) {
	t.Parallel()
	const text = `=== RUN   TestA
=== RUN   TestA/sub
    a_test.go:1: listen tcp 127.0.0.1:8080: bind: address already in use
--- FAIL: TestA (1.00s)
    --- FAIL: TestA/sub (0.50s)
=== RUN   TestA
--- PASS: TestA (2.00s)
=== RUN   TestB
--- SKIP: TestB (0.00s)
FAIL
`
	_, r := read(merge.Form{}, text, 1000)
	want := map[string]merge.Outcome{
		"TestA": {gotest.Fail, 3 * time.Second, 2}, "TestA/sub": {gotest.Fail, time.Second / 2, 1}, "TestB": {gotest.Skip, 0, 1},
	}
	if diff := cmp.Diff(want, r.Tests); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if want := map[string]string{"127.0.0.1:8080": "TestA"}; !maps.Equal(r.Ports, want) {
		t.Errorf("ports in use = %v, want %v", r.Ports, want)
	}
}

func TestOutputNamesWhatRuns(t *testing.T) {
	t.Parallel()
	var passed bytes.Buffer
	o := merge.NewOutput(merge.Form{}, func(p []byte) { passed.Write(p) })
	_, _ = o.Write([]byte("=== RUN   TestA\n=== RUN   TestA/sub\n=== RUN   TestB\n--- PASS: TestB (0.00s)\nhal"))
	if diff := cmp.Diff([]string{"TestA/sub (0s)"}, o.Running()); diff != "" {
		t.Errorf("Running() (-want +got):\n%s", diff)
	}
	o.Say("a word")
	_, _ = o.Write([]byte("f\n"))
	if got := passed.String(); !strings.HasSuffix(got, "\na word\nhalf\n") {
		t.Errorf("passed on %q, want the word in a line of its own", got)
	}
}
