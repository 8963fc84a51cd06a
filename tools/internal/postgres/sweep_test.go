package postgres_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
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
	s := mustStart(t, postgres.Config{Containment: postgres.Watchdog, SocketParent: parent})
	for range 2 { // the second finds nothing new
		postgres.Sweep(parent)
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

func TestSweepBesideMaking(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 2000 {
			postgres.Sweep(parent)
		}
	}()
	for made := 0; ; made++ {
		path, remove, err := postgres.MustHold(parent)
		if err != nil {
			t.Fatal(err)
		}
		postgres.Sweep(parent)
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("after %d others: a held directory was swept: %v", made, err)
		}
		if err := remove(); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

// TestKilledRemover kills a process while it removes a directory that it holds: the sweep removes what is left.
func TestKilledRemover(t *testing.T) {
	const parentEnv = "PGCELL_TEST_REMOVE_BELOW"
	if parent := os.Getenv(parentEnv); parent != "" {
		path, remove, err := postgres.MustHold(parent)
		for i := range 3000 {
			if err == nil {
				err = os.WriteFile(filepath.Join(path, fmt.Sprint(i)), nil, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("removes")
		remove()
		return
	}
	t.Parallel()
	parent := mustOpenDir(t)
	for i := range 10 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledRemover$")
		cmd.Env = append(os.Environ(), parentEnv+"="+parent)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		out.Read(make([]byte, len("removes")))
		time.Sleep(time.Duration(i) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		postgres.Sweep(parent)
	}
	// A directory that is empty, for its remover was killed at the last step, is swept when it is a minute old.
	if left, err := filepath.Glob(filepath.Join(parent, "*", "*")); err != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v; want none", len(left), err)
	}
}
