package gotest_test

import (
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/gotest"
)

func TestParseLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]gotest.Line{
		"=== RUN   TestA":                      {Verb: gotest.Run, Test: "TestA"},
		"\x16=== RUN   TestA/sub_1\r\n":        {Verb: gotest.Run, Test: "TestA/sub_1"},
		"=== PAUSE TestA":                      {Verb: gotest.Pause, Test: "TestA"},
		"=== CONT  TestA":                      {Verb: gotest.Cont, Test: "TestA"},
		"=== NAME  ":                           {Verb: gotest.Name},
		"=== NAME  TestA":                      {Verb: gotest.Name, Test: "TestA"},
		"--- PASS: TestA (1.50s)":              {Verb: gotest.Pass, Test: "TestA", Took: 1500 * time.Millisecond},
		"    \x16--- SKIP: TestA/b (0.25s)\n":  {Verb: gotest.Skip, Test: "TestA/b", Took: 250 * time.Millisecond},
		"\x16--- FAIL: TestA (0.00s)":          {Verb: gotest.Fail, Test: "TestA"},
		"    a_test.go:3: --- PASS: x (0.00s)": {},
		"--- FAIL: nothing like a result":      {},
		"=== a heading of the test's own":      {},
		"hello":                                {},
		"":                                     {},
	} {
		if got := gotest.ParseLine(text); got != want {
			t.Errorf("ParseLine(%q) = %+v, want %+v", text, got, want)
		}
	}
}

// TestWithOwners keeps the lines that tell whose output comes next where parallel tests print in turn.
func TestWithOwners(t *testing.T) {
	t.Parallel()
	const log = "\x16=== RUN   TestA\n=== NAME  TestA\n    a: 1\n=== PAUSE TestA\n=== NAME  \n=== CONT  TestB\n    b: 1\n" +
		"=== NAME  TestA\n    a: 2\n=== NAME  TestA\n    a: 3\n=== NAME  TestB\n    b: 2\n--- PASS: TestB (0.00s)\n"
	const want = "=== RUN   TestA\n    a: 1\n=== PAUSE TestA\n=== CONT  TestB\n    b: 1\n" +
		"=== NAME  TestA\n    a: 2\n    a: 3\n=== NAME  TestB\n    b: 2\n--- PASS: TestB (0.00s)\n"
	if got := gotest.WithOwners(log); got != want {
		t.Errorf("WithOwners = %s\nwant %s", got, want)
	}
}

// Clean leaves what the test itself printed, moved to the left.
func TestClean(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{
		"": "",
		"\x16=== RUN   TestA\n    a_test.go:3: first\n        second\n\n    third\n    \x16--- FAIL: TestA (0.01s)\n": "a_test.go:3: first\n    second\n\nthird",
		"=== NAME  TestA\n    a_test.go:9: --- a/x\n    +++ b/x\n":                                                    "a_test.go:9: --- a/x\n+++ b/x",
	} {
		if got := gotest.Clean(output); got != want {
			t.Errorf("Clean(%q) = %q, want %q", output, got, want)
		}
	}
}
