// Package flaky_test passes and fails.
package flaky_test

import (
	"os"
	"testing"
)

// TestSecondRunFails fails in the second of several runs.
func TestSecondRunFails(t *testing.T) {
	if os.Getenv("TEST_RUN_NUMBER") == "2" {
		t.Error("not twice")
	}
}

// TestFirstAttemptFails fails until the file FLAKY_MARK is there, and makes it.
func TestFirstAttemptFails(t *testing.T) {
	mark := os.Getenv("FLAKY_MARK")
	if mark == "" {
		return
	}
	if _, err := os.Stat(mark); err == nil {
		return
	}
	if err := os.WriteFile(mark, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	t.Error("too early")
}

// TestDatabasesAreKept tells whether a failed test's databases would be kept.
func TestDatabasesAreKept(t *testing.T) {
	t.Logf("PGCELL_KEEP=%s", os.Getenv("PGCELL_KEEP"))
}
