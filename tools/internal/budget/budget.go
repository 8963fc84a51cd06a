// Package budget gives out a limited number of places in the order in which they are asked for, and knows who holds
// them.
//
// A budget detects deadlocks: tests that each hold places and wait for more than there are. It breaks them with the
// places in reserve; where these do not suffice, the newest waiter gets a [*DeadlockError] at once.
//
// Locks: a budget calls no function of its Config, and no method of a Holder, while it holds its own lock. So both may
// take locks of their own and call the budget.
package budget

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// slow is the wait after which Warn is told.
	slow = 5 * time.Second
	// interval is how often a waiter looks for a way to a place: Reclaim, Extra, and a deadlock to break.
	interval = 100 * time.Millisecond
	// deadlockTimeout is how long nothing may change before waiters look for a deadlock, as PostgreSQL's parameter
	// deadlock_timeout.
	deadlockTimeout = time.Second
)

// Holder holds places on behalf of a test. It must be comparable.
type Holder interface {
	// Test names the test; "" while no test uses the holder.
	Test() string
	// String names the holder in messages.
	String() string
}

// Config says what a [Budget] gives out. Functions may be nil.
type Config struct {
	What   string       // the places, in the plural, for messages
	Places int          // how many there are
	Remedy string       // what to do where they do not suffice, for messages
	Warn   func(string) // gets waits of more than 5 s, with the holders
	// Release frees places that no test uses. It is called before somebody waits.
	Release func()
	// Reclaim frees places that tests hold but have not used for a while. It is called every 100 ms at most, while
	// somebody waits or at most Low places are free.
	Reclaim func()
	Low     int
	// Extra reports whether a waiter may have a place beyond Places; it then gets one, every 100 ms at most. Tests whose
	// parallel subtests have not begun hold places and do not run.
	Extra func() bool
	// If Eager is set, a waiter gets an extra place at once: every running test already holds one, so it would wait on
	// paused tests.
	Eager bool
	// Reserve is how many places beyond Places break a deadlock.
	Reserve int
	// Err tells why no place will be given any more; it is asked every 100 ms while somebody waits. Nil goes on.
	Err func() error
	// Idle reports whether no holder is at work. Waits are no deadlock while one is. Nil says that none is.
	Idle func() bool
}

// Budget gives out places. It may be used concurrently.
type Budget struct {
	config Config

	mu        sync.Mutex
	free      int // negative where places were given beyond Config.Places
	queue     []*waiter
	holders   map[Holder]int // how many places each has
	warned    time.Time      // when Warn was last called
	extra     time.Time      // when an extra place was last given
	reclaimed time.Time      // when Reclaim was last called
	changed   time.Time      // when a place was last given, or given back
}

// waiter is somebody in the queue.
type waiter struct {
	holder Holder
	turn   chan error // gets nil with a place, or why there is none
}

// New makes a budget all of whose places are free.
func New(c Config) *Budget {
	return &Budget{config: c, free: c.Places, holders: map[Holder]int{}}
}

// Take waits for a place. release gives it back; call it once. Waits of more than 5 s are told to Config.Warn.
//
// Errors: that of ctx, with the holders; that of Config.Err; [*DeadlockError].
func (b *Budget) Take(ctx context.Context, h Holder) (release func(), err error) {
	free := b.Free()
	if free <= 0 {
		b.releaseUnused()
	}
	if free <= b.config.Low {
		b.Reclaim()
	}
	extra := free <= 0 && b.config.Eager && b.mayExceed()
	b.mu.Lock()
	if (b.free > 0 || extra) && len(b.queue) == 0 {
		b.give(h)
		b.mu.Unlock()
		return b.releaser(h), nil
	}
	w := &waiter{holder: h, turn: make(chan error, 1)}
	b.queue = append(b.queue, w)
	b.changed = time.Now()
	b.mu.Unlock()
	if err := b.wait(ctx, w); err != nil {
		return nil, err
	}
	return b.releaser(h), nil
}

// Try takes a place if one is free; release is nil where none is.
func (b *Budget) Try(h Holder) (release func()) {
	if b.Free() <= 0 {
		b.releaseUnused()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.free <= 0 {
		return nil
	}
	b.give(h)
	return b.releaser(h)
}

// Force takes a place also where none is free: for a holder that others wait for.
func (b *Budget) Force(h Holder) (release func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.give(h)
	return b.releaser(h)
}

// Free is how many places are free; negative where places were given beyond Config.Places.
func (b *Budget) Free() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.free
}

// Holders lists who has places.
func (b *Budget) Holders() []Holder {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Collect(maps.Keys(b.holders))
}

// Reclaim calls Config.Reclaim, unless that was called within the last 100 ms.
func (b *Budget) Reclaim() {
	b.mu.Lock()
	due := b.config.Reclaim != nil && time.Since(b.reclaimed) >= interval
	if due {
		b.reclaimed = time.Now()
	}
	b.mu.Unlock()
	if due {
		b.config.Reclaim()
	}
}

func (b *Budget) releaseUnused() {
	if b.config.Release != nil {
		b.config.Release()
	}
}

func (b *Budget) mayExceed() bool { return b.config.Extra != nil && b.config.Extra() }

// wait waits for w's turn. It holds a place afterwards, or returns an error.
func (b *Budget) wait(ctx context.Context, w *waiter) error {
	warn, again := time.NewTimer(slow), time.NewTicker(interval)
	defer warn.Stop()
	defer again.Stop()
	for {
		select {
		case err := <-w.turn:
			return err
		case <-again.C:
			if err := b.ended(); err != nil {
				if b.leave(w) {
					return nil
				}
				return fmt.Errorf("wait for %s: %w", b.config.What, err)
			}
			if b.config.Release != nil { // what became unused since the wait began
				b.config.Release()
			}
			b.Reclaim()
			b.giveExtra(w)
			b.breakDeadlock(w)
		case <-warn.C:
			b.warn(w.holder)
		case <-ctx.Done():
			if b.leave(w) {
				b.giveBack(w.holder) // the turn came at the same moment
			}
			return fmt.Errorf("wait for %s, which are held by %s: %w", b.config.What, b.held(), context.Cause(ctx))
		}
	}
}

func (b *Budget) ended() error {
	if b.config.Err == nil {
		return nil
	}
	return b.config.Err()
}

// leave takes w out of the queue. served reports whether it already had a place.
func (b *Budget) leave(w *waiter) (served bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.queue, w); i >= 0 {
		b.queue = slices.Delete(b.queue, i, i+1)
		return false
	}
	return <-w.turn == nil
}

// giveExtra gives w a place beyond the budget if w is the first in the queue and Config.Extra allows it.
func (b *Budget) giveExtra(w *waiter) {
	due := func() bool {
		return len(b.queue) > 0 && b.queue[0] == w && time.Since(b.extra) >= interval
	}
	b.mu.Lock()
	no := !due()
	b.mu.Unlock()
	if no || !b.mayExceed() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if due() {
		b.extra = time.Now()
		b.serve(0)
	}
}

// warn tells of a wait, unless another was told of in the last 5 s.
func (b *Budget) warn(h Holder) {
	b.mu.Lock()
	others, lately := len(b.queue)-1, time.Since(b.warned) < slow
	if !lately {
		b.warned = time.Now()
	}
	b.mu.Unlock()
	if lately || b.config.Warn == nil {
		return
	}
	more := ""
	if others > 0 {
		more = fmt.Sprintf(", as do %d others,", others)
	}
	b.config.Warn(fmt.Sprintf("%s waits for %s%s which are held by %s", h, b.config.What, cmp.Or(more, ","), b.held()))
}

// give counts a place as h's. Call it with the lock held.
func (b *Budget) give(h Holder) {
	b.free--
	b.holders[h]++
	b.changed = time.Now()
}

// serve gives a place to the waiter at an index of the queue. Call it with the lock held.
func (b *Budget) serve(i int) {
	w := b.queue[i]
	b.queue = slices.Delete(b.queue, i, i+1)
	b.give(w.holder)
	w.turn <- nil
}

func (b *Budget) releaser(h Holder) func() { return func() { b.giveBack(h) } }

func (b *Budget) giveBack(h Holder) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.holders[h]--; b.holders[h] <= 0 {
		delete(b.holders, h)
	}
	b.free++
	b.changed = time.Now()
	if b.free > 0 && len(b.queue) > 0 {
		b.serve(0)
	}
}

// held names the holders, those with most places first.
func (b *Budget) held() string {
	b.mu.Lock()
	holders := maps.Clone(b.holders)
	b.mu.Unlock()
	return describe(holders)
}

func describe(holders map[Holder]int) string {
	byName := map[string]int{}
	for h, places := range holders {
		byName[h.String()] += places
	}
	names := slices.SortedFunc(maps.Keys(byName), func(x, y string) int {
		return cmp.Or(byName[y]-byName[x], strings.Compare(x, y))
	})
	const most = 10
	var parts []string
	for _, name := range names[:min(most, len(names))] {
		parts = append(parts, fmt.Sprintf("%s (%d)", name, byName[name]))
	}
	if rest := len(names) - most; rest > 0 {
		parts = append(parts, fmt.Sprintf("%d more", rest))
	}
	if len(parts) == 0 {
		return "nobody any more"
	}
	return strings.Join(parts, ", ")
}
