package gc_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/gc"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/held"
	"github.com/pgcell/pgcell/tools/internal/history"
)

func TestMain(m *testing.M) {
	gc.Shared = nil
	m.Run()
}

// mustLeave makes what killed runs leave: events of an old run, of a young one, and the history of a workspace that is
// gone.
func mustLeave(t *testing.T) (p *cli.Process, old, young, gone string) {
	t.Helper()
	dir := t.TempDir()
	old, young = filepath.Join(dir, "pgcell-run-1"), filepath.Join(dir, "pgcell-run-2")
	for _, path := range []string{old, young} {
		if err := os.Mkdir(path, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	then := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(old, then, then); err != nil {
		t.Fatal(err)
	}
	store := history.Open(filepath.Join(dir, "cache"), filepath.Join(dir, "removed"))
	if err := store.Save(&history.Run{Workspace: filepath.Join(dir, "removed")}); err != nil {
		t.Fatal(err)
	}
	return &cli.Process{Env: []string{"TMPDIR=" + dir, "XDG_CACHE_HOME=" + filepath.Join(dir, "cache")}}, old, young, store.Dir()
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// A dry run lists and removes nothing.
func TestDryRun(t *testing.T) {
	t.Parallel()
	p, old, young, gone := mustLeave(t)
	var out strings.Builder
	p.Stdout = &out
	if err := gc.Run(p, true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"would remove " + old + " (events of a killed run)\n", "would remove " + gone + " (history of "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), young) {
		t.Errorf("a run that may still be going on is listed:\n%s", out.String())
	}
	if !there(old) || !there(gone) {
		t.Error("a dry run has removed something")
	}
}

func TestLeftovers(t *testing.T) {
	t.Parallel()
	p, old, young, gone := mustLeave(t)
	mine := 0
	for _, l := range gc.Leftovers(p) {
		if strings.HasPrefix(l.Path, filepath.Dir(old)) {
			mine++
			if err := l.Remove(); err != nil {
				t.Errorf("remove %s: %v", l.Path, err)
			}
		}
	}
	if mine != 2 || there(old) || there(gone) || !there(young) {
		t.Errorf("%d leftovers, want 2; there: old %v, history %v, young %v", mine, there(old), there(gone), there(young))
	}
}

// A kept server is listed by a dry run and ended without; one in PGCELL_SOCKET_DIR is found too.
func TestKeptServer(t *testing.T) {
	t.Parallel()
	sockets := t.TempDir()
	held, err := held.Make(sockets)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(held.Path(), "kept"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { // its keeper
		defer close(ended)
		for there(held.Path()) {
			time.Sleep(10 * time.Millisecond)
		}
		held.Remove()
	}()
	p, _, _, _ := mustLeave(t)
	p.Env = append(p.Env, "PGCELL_SOCKET_DIR="+sockets)
	for _, dry := range []bool{true, false} {
		var out strings.Builder
		p.Stdout = &out
		if err := gc.Run(p, dry); err != nil {
			t.Error(err)
		}
		if want := " " + held.Path() + " (a kept server)\n"; !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, out.String())
		}
		if there(held.Path()) != dry {
			t.Errorf("dry run %v: the server runs: %v", dry, !dry)
		}
	}
	<-ended
}
