package pgcell_test

import (
	"os"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestOwnBinary looks for what tells of sessions in this test's binary, which has all of the package in it but none of
// those names: a user's binary has them only if the user's code has.
func TestOwnBinary(t *testing.T) {
	t.Parallel()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if found, err := cells.MentionsSessions(f); found || err != nil {
		t.Errorf("MentionsSessions(%s) = %v, %v, want false", path, found, err)
	}
}
