package gotest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/gotest"
)

// TestFindPlace finds the place at which a test failed among what it printed.
func TestFindPlace(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]gotest.Place{
		"    a_test.go:28: pgcell: test_db_w0_1, recycled\n    a_test.go:31: got 2 users, want 2\n":                           {Path: "a_test.go", Line: 31},
		"    a_test.go:28: pgcell: test_db_w0_1, recycled\npanic: x\n\t/x/lib.go:3 +0x1\n\t/x/a_test.go:70 +0x2f\n":           {Path: "a_test.go", Line: 70},
		"    cell.go:28: pgcell.New: take a cell\n":                                                                           {Path: "cell.go", Line: 28},
		"    a_test.go:28: pgcell: the test left a session\n    a_test.go:28: pgcell: kept cell test_db_w0_1: psql 'x' (y)\n": {Path: "a_test.go", Line: 28},
		"nothing": {},
	} {
		if got := gotest.FindPlace([]string{output}, "", "a"); got != want {
			t.Errorf("FindPlace(%q) = %v, want %v", output, got, want)
		}
	}
}

// The first output goes first, and a file that is in the target's package gets its path.
func TestFindPlaceInTheWorkspace(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "x", "y"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "x", "y", "b_test.go"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	outputs := []string{"    b_test.go:2: no\n", "    a_test.go:3: after\n"}
	if got, want := gotest.FindPlace(outputs, root, "x/y").String(), "x/y/b_test.go:2"; got != want {
		t.Errorf("FindPlace = %q, want %q", got, want)
	}
	if got := (gotest.Place{}).String(); got != "" {
		t.Errorf("String() of an unknown place = %q, want none", got)
	}
}

// Log prints lines like those of Error, before and after them: the source tells which is which.
func TestFindPlaceAmongLogs(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	const source = `package a
func TestA(t *testing.T) {
	t.Logf("users: %d", 3)
	mustLoad(t)
	t.Errorf("got %v", err.Error())
	require.NoError(t, err)
	t.Log("after ", err.Error())
}`
	if err := os.WriteFile(filepath.Join(root, "a_test.go"), []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	for output, want := range map[string]string{
		"    a_test.go:3: users: 3\n    a_test.go:5: got x\n    a_test.go:7: after\n":                "a_test.go:5",
		"    a_test.go:3: users: 3\n    a_test.go:4: load: no file\n":                                "a_test.go:4",
		"    a_test.go:3: users: 3\n    a_test.go:6: \n        \tError Trace:\n":                     "a_test.go:6",
		"    a_test.go:4: loaded\n    a_test.go:5: got x\n    a_test.go:6: no error\n":               "a_test.go:5",
		"    a_test.go:3: users: 3\n":                                                                "a_test.go:3",
		"    a_test.go:3: users: 3\n    a_test.go:4: pgcell: kept cell test_db_w0_1: psql 'x' (y)\n": "a_test.go:3",
		"    b_test.go:3: first\n    b_test.go:9: last\n":                                            "b_test.go:9",
	} {
		if got := gotest.FindPlace([]string{output}, root, "").String(); got != want {
			t.Errorf("FindPlace(%q) = %v, want %v", output, got, want)
		}
	}
}
