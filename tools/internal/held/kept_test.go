package held_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/held"
)

// Kept lists what is marked and held, and neither what a test still uses nor what nobody holds.
func TestKept(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	mustHold := func() *held.Dir {
		dir, err := held.Make(parent)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { dir.Remove() })
		return dir
	}
	mark := func(dir string) {
		if err := os.WriteFile(filepath.Join(dir, "kept"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inUse, kept := mustHold(), mustHold()
	mark(kept.Path())
	abandoned := filepath.Join(parent, "pgcell-00000001")
	for _, dir := range []string{abandoned, filepath.Join(parent, "pgcell-mine")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		mark(dir)
	}
	if err := os.WriteFile(filepath.Join(abandoned, "lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := held.Kept(parent), []string{kept.Path()}; !slices.Equal(got, want) {
		t.Errorf("Kept() = %q, want %q; %s is in use", got, want, inUse.Path())
	}

	// Its keeper sees that the directory has gone, and ends.
	go func() {
		for {
			if _, err := os.Stat(kept.Path()); err != nil {
				kept.Remove()
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	if err := held.EndKept(kept.Path()); err != nil {
		t.Errorf("EndKept: %v", err)
	}
	err := held.EndKept(kept.Path())
	if err == nil || !strings.Contains(err.Error(), "end the server: open ") {
		t.Errorf("EndKept of one that has ended = %v, want that it is not there", err)
	}
}
