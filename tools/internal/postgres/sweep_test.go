package postgres_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/held"
	"github.com/pgcell/pgcell/tools/internal/keeper"
	"github.com/pgcell/pgcell/tools/internal/postgres"
)

func TestSweep(t *testing.T) {
	t.Parallel()
	parent := mustOpenDir(t)
	abandoned := filepath.Join(parent, "pgcell-00000001")
	young := filepath.Join(parent, "pgcell-00000002") // without a lock yet: its maker may be at it
	old := filepath.Join(parent, "pgcell-00000003")   // its maker was killed before it had a lock
	full := filepath.Join(parent, "pgcell-00000004")  // holds something, and no lock of ours
	clone := filepath.Join(parent, "pgcell-fork")     // somebody's own
	foreign := filepath.Join(parent, "other")
	for _, dir := range []string{abandoned, young, old, full, clone, foreign} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{filepath.Join(full, "file"), filepath.Join(clone, "lock")} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hourAgo := time.Now().Add(-time.Hour)
	for _, dir := range []string{old, full, clone} {
		if err := os.Chtimes(dir, hourAgo, hourAgo); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(abandoned, "lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustStart(t, postgres.Config{Containment: keeper.Watchdog, SocketParent: parent})
	for range 2 { // the second finds nothing new
		held.Sweep(parent)
	}
	for dir, want := range map[string]bool{
		abandoned: false, young: true, old: false, full: true, clone: true, foreign: true, s.SocketDir(): true,
	} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("after Sweep, %s is there: %v, want %v", dir, err == nil, want)
		}
	}
	if got := mustQuery(t, s, "select 'lives'"); got != "lives" {
		t.Errorf("the server in use gave %q", got)
	}
}
