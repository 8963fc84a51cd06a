package serial_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/serial"
)

// mustGate makes a gate of this test's own.
func mustGate(t *testing.T) *serial.Gate {
	t.Helper()
	g := &serial.Gate{Door: filepath.Join(t.TempDir(), "door"), Room: filepath.Join(t.TempDir(), "room")}
	for _, dir := range []string{g.Door, g.Room} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func TestNobodyRunsBesideAlone(t *testing.T) {
	t.Parallel()
	g := mustGate(t)
	other := &serial.Gate{Door: g.Door, Room: g.Room} // as another process has
	var running, alone atomic.Int32
	var group sync.WaitGroup
	for i := range 40 {
		group.Go(func() {
			enter, count, most := g.Share, &running, int32(40)
			if i%2 == 1 {
				enter = other.Share
			}
			if i%8 == 0 {
				enter, count, most = g.Alone, &alone, 1
			}
			leave, err := enter(t.Context(), t.Name())
			if err != nil {
				t.Error(err)
				return
			}
			defer leave()
			if n := count.Add(1); n > most {
				t.Errorf("%d alone at once, want 1", n)
			}
			if a, r := alone.Load(), running.Load(); a > 0 && r > 0 {
				t.Errorf("%d alone beside %d others", a, r)
			}
			time.Sleep(2 * time.Millisecond) // long enough for others to break in
			count.Add(-1)
		})
	}
	group.Wait()
}

func TestAloneIsNotPassed(t *testing.T) {
	t.Parallel()
	g := mustGate(t)
	leave, err := g.Share(t.Context(), t.Name())
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 2)
	go func() {
		done, err := g.Alone(t.Context(), t.Name())
		if err != nil {
			t.Error(err)
			return
		}
		got <- "alone"
		done()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for { // until the one who wants to be alone has shut the door
		probe, stop := context.WithTimeout(ctx, 5*time.Millisecond)
		done, err := g.Share(probe, "probe")
		stop()
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		done()
		if ctx.Err() != nil {
			t.Fatal("the door never shut: those who share pass the one who waits")
		}
	}
	go func() {
		done, err := g.Share(t.Context(), t.Name())
		if err != nil {
			t.Error(err)
			return
		}
		got <- "share"
		done()
	}()
	leave()
	if first, second := <-got, <-got; first != "alone" || second != "share" {
		t.Errorf("order was %s, %s; want alone, share", first, second)
	}
}

func TestLockErrorNamesDirectory(t *testing.T) {
	t.Parallel()
	g := serial.Gate{Door: filepath.Join(t.TempDir(), "absent"), Room: "/"}
	if _, err := g.Share(t.Context(), t.Name()); err == nil || !os.IsNotExist(errors.Unwrap(err)) {
		t.Errorf("Share = %v, want not exist", err)
	}
}

// TestDoorOpensToWhoIsIn has somebody wait for a process's test, which may itself wait for another of the process: that
// one is let in after a while, and nobody else.
func TestDoorOpensToWhoIsIn(t *testing.T) {
	t.Parallel()
	g := mustGate(t)
	other, third := &serial.Gate{Door: g.Door, Room: g.Room}, &serial.Gate{Door: g.Door, Room: g.Room}
	leave, err := g.Share(t.Context(), t.Name())
	if err != nil {
		t.Fatal(err)
	}
	waiting, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := other.Alone(waiting, "other")
		ended <- err
	}()
	time.Sleep(50 * time.Millisecond) // until the door is shut
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	start := time.Now()
	also, err := g.Share(ctx, t.Name())
	if d := time.Since(start); err != nil || d < 4*time.Second {
		t.Errorf("let in after %v, %v; want some 5 s, in which the other's turn may come", d, err)
	}
	soon, giveUp := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer giveUp()
	if _, err := third.Share(soon, "third"); err == nil {
		t.Error("another process was let in")
	}
	also()
	leave()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	cancel()
}
