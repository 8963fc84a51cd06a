package held_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/held"
)

func TestAbandonedListsWhatSweepRemoves(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir, err := held.Make(parent)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Remove()
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
	if got := held.Abandoned(parent); !slices.Equal(got, want) {
		t.Errorf("Abandoned() = %q, want %q", got, want)
	}
	if got := held.Sweep(parent); !slices.Equal(got, want) {
		t.Errorf("Sweep() removed %q, want %q", got, want)
	}
}

func TestSweepBesideMaking(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 2000 {
			held.Sweep(parent)
		}
	}()
	for made := 0; ; made++ {
		path, remove, err := hold(parent)
		if err != nil {
			t.Fatal(err)
		}
		held.Sweep(parent)
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
		path, remove, err := hold(parent)
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
	parent := t.TempDir()
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
		held.Sweep(parent)
	}
	// A directory that is empty, for its remover was killed at the last step, is swept when it is a minute old.
	if left, err := filepath.Glob(filepath.Join(parent, "*", "*")); err != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v; want none", len(left), err)
	}
}

// hold makes a held directory below parent and gives its path and a function that removes it.
func hold(parent string) (path string, remove func() error, err error) {
	d, err := held.Make(parent)
	if err != nil {
		return "", nil, err
	}
	return d.Path(), d.Remove, nil
}
