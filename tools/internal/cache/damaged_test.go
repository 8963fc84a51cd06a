package cache_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/archive"
	"github.com/pgcell/pgcell/tools/internal/cache"
)

// startText stands for a server's start: it reads the golden cluster, which is damaged if it is empty.
func startText(_ context.Context, path string) (string, error) {
	text, err := os.ReadFile(path)
	if err == nil && len(text) == 0 {
		err = &archive.DamagedError{Path: path, Err: errors.New("it is empty")}
	}
	return string(text), err
}

func TestDamagedIsBuiltOnce(t *testing.T) {
	t.Parallel()
	for _, there := range []bool{true, false} {
		path := filepath.Join(t.TempDir(), "x.pgcell")
		if there {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var built atomic.Int32
		build := func(context.Context) (string, error) {
			built.Add(1)
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the damaged file is there while another is built: %v", err)
			}
			return path, os.WriteFile(path, []byte("whole"), 0o600)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if got, err := cache.Start(t.Context(), path, build, startText); got != "whole" || err != nil {
					t.Errorf("Start = %q, %v, want a start on the whole one", got, err)
				}
			})
		}
		all.Wait()
		if n := built.Load(); n != 1 {
			t.Errorf("with a file: %v: built %d times, want once", there, n)
		}
	}
}

func TestOtherErrorsStay(t *testing.T) {
	t.Parallel()
	path, broken := filepath.Join(t.TempDir(), "x.pgcell"), errors.New("the server does not start")
	build := func(context.Context) (string, error) { return path, errors.New("built") }
	start := func(context.Context, string) (int, error) { return 0, broken }
	if _, err := cache.Start(t.Context(), path, build, start); err != broken {
		t.Errorf("Start = %v, want %v", err, broken)
	}
	var damaged *fs.PathError
	if _, err := cache.Start(t.Context(), path, nil, startText); !errors.As(err, &damaged) {
		t.Errorf("Start of a file that is not ours to build = %v, want the error of the start", err)
	}
	if _, err := cache.Start(t.Context(), path, build, startText); err == nil || err.Error() != "built" {
		t.Errorf("Start = %v, want the error of build", err)
	}
}

func TestReadEnviron(t *testing.T) {
	t.Setenv("PGCELL_CONTAINMENT", "watchdog")
	t.Setenv("PGCELL_STORAGE", "disk")
	t.Setenv("PGCELL_SOCKET_DIR", "/s")
	if e, err := cache.ReadEnviron(); e != (cache.Environ{Containment: "watchdog", Storage: "disk", SocketParent: "/s"}) || err != nil {
		t.Errorf("ReadEnviron = %+v, %v", e, err)
	}
	t.Setenv("PGCELL_STORAGE", "tape")
	const want = `PGCELL_STORAGE is "tape"; want auto, memory or disk`
	if _, err := cache.ReadEnviron(); err == nil || err.Error() != want {
		t.Errorf("ReadEnviron = %v, want %s", err, want)
	}
}
