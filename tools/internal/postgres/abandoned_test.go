package postgres_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/postgres"
)

func TestAbandonedListsWhatSweepRemoves(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	held, err := postgres.HoldDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Remove()
	mkdir := func(name string) string {
		path := filepath.Join(parent, name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	locked, empty := mkdir("pgcell-00000001"), mkdir("pgcell-00000002")
	if err := os.WriteFile(filepath.Join(locked, "lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mkdir("pgcell-00000003") // too young
	mkdir("pgcell-fork")
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(empty, old, old); err != nil {
		t.Fatal(err)
	}
	want := []string{locked, empty}
	if got := postgres.Abandoned(parent); !slices.Equal(got, want) {
		t.Errorf("Abandoned() = %q, want %q", got, want)
	}
	if got := postgres.Sweep(parent); !slices.Equal(got, want) {
		t.Errorf("Sweep() removed %q, want %q", got, want)
	}
}
