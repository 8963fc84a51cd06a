package pgcell_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/serial"
	"github.com/pgcell/pgcell/tools/pgcell"
)

func TestSerialIsAlone(t *testing.T) {
	t.Parallel()
	var inside, alone atomic.Int32
	for range 6 {
		t.Run("shared", func(t *testing.T) {
			t.Parallel()
			pgcell.New(t)
			inside.Add(1)
			defer inside.Add(-1)
			if alone.Load() != 0 {
				t.Error("runs beside a serial test")
			}
		})
		t.Run("serial", func(t *testing.T) {
			t.Parallel()
			pgcell.Serial(t)
			pgcell.Serial(t) // a second call changes nothing
			pgcell.New(t)
			if n := alone.Add(1); n != 1 || inside.Load() != 0 {
				t.Errorf("%d serial tests and %d others at once, want this one alone", n, inside.Load())
			}
			defer alone.Add(-1)
		})
	}
}

func TestSerialAfterNew(t *testing.T) {
	t.Parallel()
	ensureFatal(t, func(f *fakeTB) {
		pgcell.New(f)
		pgcell.Serial(f)
	}, "pgcell.Serial: this test has a database already", "call Serial first")
}

// ensureEnds runs a test's body to its end, which it must come to within 2 minutes, without a failure.
func ensureEnds(t *testing.T, name string, body func(*fakeTB)) {
	t.Helper()
	f := &fakeTB{name: name}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.run(func() { body(f) })
	}()
	select {
	case <-done:
		if f.fatal != "" {
			t.Errorf("%s failed: %s", name, f.fatal)
		}
	case <-time.After(2 * time.Minute):
		t.Fatalf("%s has not ended after 2 minutes", name)
	}
}

func TestSerialLetsSubtestsIn(t *testing.T) {
	t.Parallel()
	ensureEnds(t, t.Name()+"_serial", func(f *fakeTB) {
		pgcell.Serial(f)
		ensureEnds(t, f.name+"/sub", func(sub *fakeTB) {
			pgcell.New(sub)
			ensureEnds(t, sub.name+"/sub", func(sub *fakeTB) { pgcell.Serial(sub) })
		})
	})
}

// TestSubtestOfOneThatIsWaitedFor has somebody in another process wait in Serial for a test whose subtest calls New.
func TestSubtestOfOneThatIsWaitedFor(t *testing.T) {
	t.Parallel()
	ensureEnds(t, t.Name()+"_parent", func(parent *fakeTB) {
		pgcell.New(parent)
		ctx, cancel := context.WithCancel(t.Context())
		waited := make(chan error)
		go func() { // an open file of its own is to flock what another process is
			_, err := serial.Here().Alone(ctx, "other")
			waited <- err
		}()
		ensureSoon(t, "the door is shut", func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			leave, err := serial.Here().Share(ctx, "probe")
			if err == nil {
				leave()
			}
			return err != nil
		})
		for range 3 {
			ensureEnds(t, parent.name+"/sub", func(sub *fakeTB) { pgcell.New(sub) })
		}
		cancel()
		if err := <-waited; err == nil {
			t.Error("somebody was alone beside a test")
		}
	})
}

func TestSerialBelowNew(t *testing.T) {
	t.Parallel()
	ensureEnds(t, t.Name()+"_parent", func(parent *fakeTB) {
		pgcell.New(parent)
		sub := &fakeTB{name: parent.name + "/sub"}
		sub.run(func() { pgcell.Serial(sub) })
		if want := parent.name + ", which waits for this subtest, has a database already"; !strings.Contains(sub.fatal, want) {
			t.Errorf("failed with %q, want %q", sub.fatal, want)
		}
	})
}

const turnsEnv = "PGCELL_TEST_TURNS"

// TestSerialTakesAllTurns has a serial test take the only turn that the subtest of a test with a cell waits for.
func TestSerialTakesAllTurns(t *testing.T) {
	if os.Getenv(turnsEnv) == "" {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestSerialTakesAllTurns$", "-test.parallel=1")
		cmd.Env = append(os.Environ(), turnsEnv+"=1")
		out, err := cmd.CombinedOutput()
		if want := "every turn of go test -parallel=1 is with a test that waits in pgcell.Serial"; err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v, want %q in:\n%s", err, want, out)
		}
		return
	}
	var first atomic.Bool
	for range 2 {
		t.Run("x", func(t *testing.T) {
			t.Parallel()
			if first.CompareAndSwap(false, true) {
				pgcell.New(t)
				t.Run("sub", func(t *testing.T) { t.Parallel() }) // its turn comes after that of the other test
				return
			}
			pgcell.Serial(t)
		})
	}
}

const waitsEnv = "PGCELL_TEST_WAITS"

// TestWaitIsExplained has tests wait for one of another process, which is to flock another open file, and be told which.
// It runs in a process and a module of its own, where it keeps nobody else waiting.
func TestWaitIsExplained(t *testing.T) {
	t.Parallel()
	if os.Getenv(waitsEnv) == "" {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), nil, 0o666); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestWaitIsExplained$", "-test.v")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), waitsEnv+"="+dir, "TEST_SRCDIR=", "RUNFILES_DIR=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v:\n%s", err, out)
		}
		return
	}
	leave, err := serial.Here().Alone(t.Context(), "TestSlow")
	if err != nil {
		t.Fatal(err)
	}
	for why, call := range map[string]func(*fakeTB){
		"for a test that called pgcell.Serial":                        func(f *fakeTB) { pgcell.New(f) },
		"for the tests that run, since this one called pgcell.Serial": func(f *fakeTB) { pgcell.Serial(f) },
	} {
		f := &fakeTB{name: "TestWaits"}
		go f.run(func() { call(f) })
		var log string
		ensureSoon(t, "the wait is explained", func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			log = strings.Join(f.logs, "")
			return log != ""
		})
		want := fmt.Sprintf("still waiting, in module %q, %s: there are TestSlow of ", os.Getenv(waitsEnv), why)
		if who := fmt.Sprintf(" (process %d), alone since ", os.Getpid()); !strings.Contains(log, want) || !strings.Contains(log, who) {
			t.Errorf("logged %q, want %q and %q", log, want, who)
		}
	}
	leave()
}
