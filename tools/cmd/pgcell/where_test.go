package main

import (
	"testing"

	"github.com/pgcell/pgcell/tools/internal/results"
)

// TestWhere finds the place at which a test failed among what it printed.
func TestWhere(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]place{
		"    a_test.go:28: pgcell: test_db_w0_1, recycled\n    a_test.go:31: got 2 users, want 2\n":                           {"a_test.go", 31},
		"    a_test.go:28: pgcell: test_db_w0_1, recycled\npanic: x\n\t/x/lib.go:3 +0x1\n\t/x/a_test.go:70 +0x2f\n":           {"a_test.go", 70},
		"    cell.go:28: pgcell.New: take a cell\n":                                                                           {"cell.go", 28},
		"    a_test.go:28: pgcell: the test left a session\n    a_test.go:28: pgcell: kept cell test_db_w0_1: psql 'x' (y)\n": {"a_test.go", 28},
		"nothing": {},
	} {
		got := new(printer).where(&results.Shard{Label: "//a:a_test"}, &results.Test{Output: output})
		if got != want {
			t.Errorf("where(%q) = %v, want %v", output, got, want)
		}
	}
}

// TestWithOwners keeps the lines that tell whose output comes next where parallel tests print in turn.
func TestWithOwners(t *testing.T) {
	t.Parallel()
	const log = "=== RUN   TestA\n=== NAME  TestA\n    a: 1\n=== PAUSE TestA\n=== NAME  \n=== CONT  TestB\n    b: 1\n" +
		"=== NAME  TestA\n    a: 2\n=== NAME  TestA\n    a: 3\n=== NAME  TestB\n    b: 2\n--- PASS: TestB (0.00s)\n"
	const want = "=== RUN   TestA\n    a: 1\n=== PAUSE TestA\n=== CONT  TestB\n    b: 1\n" +
		"=== NAME  TestA\n    a: 2\n    a: 3\n=== NAME  TestB\n    b: 2\n--- PASS: TestB (0.00s)\n"
	if got := withOwners(log); got != want {
		t.Errorf("withOwners = %s\nwant %s", got, want)
	}
}
