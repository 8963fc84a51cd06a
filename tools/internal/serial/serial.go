// Package serial lets one test run alone among all pgcell tests of a machine, across processes and sandboxes.
//
// Every test holds a share; a test that wants to be alone takes the whole. Both are locks by flock(2) on directories
// that are there on every machine and that sandboxes share, so that nothing has to be made, and nothing is left. Two
// locks keep the one that waits from being passed for ever: who wants the whole shuts the door first, and everybody
// goes through the door.
package serial

import (
	"context"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// Gate is a pair of directories to lock. Different gates know nothing of each other.
type Gate struct {
	Door string // locked while somebody waits for the whole, or passes
	Room string // locked by all that run
}

// Machine is the gate of all pgcell tests of this machine.
func Machine() Gate {
	g := Gate{Door: "/", Room: "/dev/shm"}
	if info, err := os.Stat(g.Room); err != nil || !info.IsDir() {
		g.Room = "/tmp"
	}
	return g
}

// Share waits until nobody runs alone, and keeps it so until leave is called. Cost: 10 microseconds where nobody asks
// to be alone.
func (g Gate) Share(ctx context.Context) (leave func(), err error) {
	shut, err := lock(ctx, g.Door, syscall.LOCK_SH)
	if err != nil {
		return nil, fmt.Errorf("wait for a serial test: %w", err)
	}
	defer shut()
	return lock(ctx, g.Room, syscall.LOCK_SH)
}

// Alone waits until nobody else runs, and keeps everybody else waiting until leave is called.
func (g Gate) Alone(ctx context.Context) (leave func(), err error) {
	open, err := lock(ctx, g.Door, syscall.LOCK_EX)
	if err != nil {
		return nil, fmt.Errorf("wait for other serial tests: %w", err)
	}
	free, err := lock(ctx, g.Room, syscall.LOCK_EX)
	if err != nil {
		open()
		return nil, fmt.Errorf("wait for the tests that run: %w", err)
	}
	return sync.OnceFunc(func() { free(); open() }), nil
}

// lock polls, since a blocking flock would hold a thread of the process for each test that waits.
func lock(ctx context.Context, dir string, how int) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 20*time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		if err == nil {
			return sync.OnceFunc(func() { f.Close() }), nil
		}
		if err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			f.Close()
			return nil, fmt.Errorf("lock %q: %w", dir, err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}
