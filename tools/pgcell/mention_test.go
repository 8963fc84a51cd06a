package pgcell

import "testing"

// TestOwnBinary looks for what tells of sessions in this test's binary, which has all of the package in it but none of
// those names: a user's binary has them only if the user's code has.
func TestOwnBinary(t *testing.T) {
	t.Parallel()
	if looksAtSessions() {
		t.Error("looksAtSessions() = true, want false")
	}
}
