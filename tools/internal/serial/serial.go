// Package serial lets one test run alone among all pgcell tests of a workspace, across processes and sandboxes.
//
// Every test holds a share; a test that wants to be alone takes the whole. Both are locks by flock(2) on the workspace's
// root and a file in it, which are there and which sandboxes share. Two locks keep the one that waits from being passed
// for ever: who wants the whole shuts the door first, and everybody goes through the door. A process that is in the room
// already waits 5 s at most at the door: see patience. Tests that stay for longer than a moment leave a note, so that
// those who wait can name them.
package serial

import (
	"context"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// Gate is a pair of files or directories to lock. Different gates know nothing of each other. The zero value but for
// Door and Room is ready for use; do not copy it afterwards.
type Gate struct {
	Scope string // whose tests these are, for messages, such as `workspace "/home/me/shop"`
	Door  string // locked while somebody waits for the whole, or passes
	Room  string // locked by all that run
	Notes string // directory for notes on who is in, which all who use the gate can write to; without it there are none

	mu         sync.Mutex
	told       notes
	door, room *os.File // that this process shares; open from the first Share on
	shares     int      // of this process; they have one lock of the room between them
}

// patience is how long a test waits at a door that somebody else has shut while this process is in the room: whoever is
// in there may be a test whose subtests wait for the turn, among go test's parallel tests, that the one at the door has.
const patience = 5 * time.Second

// Share waits until nobody runs alone, and keeps it so until leave is called; test is the name for [Gate.Holders]. Cost:
// 5 microseconds where nobody asks to be alone.
func (g *Gate) Share(ctx context.Context, test string) (leave func(), err error) {
	start := time.Now()
	err = poll(ctx, func() (bool, error) { return g.tryShare(time.Since(start) > patience) })
	if err != nil {
		return nil, fmt.Errorf("wait for a serial test: %w", err)
	}
	h := g.note(test, Beside)
	return sync.OnceFunc(func() { g.unshare(); g.forget(h) }), nil
}

// tryShare passes the door, and enters the room unless this process is there already. If past is set, it does not need
// the door to enter a room that this process is in.
func (g *Gate) tryShare(past bool) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if past && g.shares > 0 {
		g.shares++
		return true, nil
	}
	if g.room == nil {
		if err := g.open(); err != nil {
			return false, err
		}
	}
	passed, err := try(g.door, syscall.LOCK_SH)
	if !passed {
		return false, err
	}
	defer syscall.Flock(int(g.door.Fd()), syscall.LOCK_UN) // fails for a bad descriptor alone
	if g.shares == 0 {
		if entered, err := try(g.room, syscall.LOCK_SH); !entered {
			return false, err
		}
	}
	g.shares++
	return true, nil
}

func (g *Gate) open() error {
	door, err := os.Open(g.Door)
	if err != nil {
		return err
	}
	room, err := os.Open(g.Room)
	if err != nil {
		door.Close()
		return err
	}
	g.door, g.room = door, room
	return nil
}

func (g *Gate) unshare() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shares--; g.shares == 0 {
		syscall.Flock(int(g.room.Fd()), syscall.LOCK_UN) // fails for a bad descriptor alone
	}
}

// Alone waits until nobody else runs, and keeps everybody else waiting until leave is called; test is the name for
// [Gate.Holders].
func (g *Gate) Alone(ctx context.Context, test string) (leave func(), err error) {
	open, err := lock(ctx, g.Door)
	if err != nil {
		return nil, fmt.Errorf("wait for other serial tests: %w", err)
	}
	h := g.note(test, Waiting)
	free, err := lock(ctx, g.Room)
	if err != nil {
		open()
		g.forget(h)
		return nil, fmt.Errorf("wait for the tests that run: %w", err)
	}
	g.become(h, Alone)
	return sync.OnceFunc(func() { free(); open(); g.forget(h) }), nil
}

// lock takes the whole of a directory or file, by a description of its own: flock treats each alike, in one process or in many.
func lock(ctx context.Context, name string) (unlock func(), err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if err := poll(ctx, func() (bool, error) { return try(f, syscall.LOCK_EX) }); err != nil {
		f.Close()
		return nil, err
	}
	return sync.OnceFunc(func() { f.Close() }), nil
}

// poll tries until it works, since a blocking flock would hold a thread of the process for each test that waits.
func poll(ctx context.Context, do func() (bool, error)) error {
	for wait := time.Millisecond; ; wait = min(2*wait, 20*time.Millisecond) {
		if done, err := do(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

// try locks a directory or file unless somebody else has it.
func try(f *os.File, how int) (bool, error) {
	switch err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err {
	case nil:
		return true, nil
	case syscall.EWOULDBLOCK, syscall.EINTR:
		return false, nil
	default:
		return false, fmt.Errorf("lock %q: %w", f.Name(), err)
	}
}
