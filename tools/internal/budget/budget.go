// Package budget gives out a limited number of places in the order in which they are asked for, and knows who holds
// them.
//
// Two rules keep tests from waiting for each other without end:
//   - Who holds nothing waits for its turn: see [Budget.Take].
//   - Who holds places never waits. It gets more at once, or an error that says who holds them: see [Budget.Try]. A part
//     of the places is reserved for that.
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
	slow     = 5 * time.Second        // the wait after which Config.Warn is told
	interval = 100 * time.Millisecond // how often a waiter asks Config.Err
)

// Config says what a [Budget] gives out. Functions may be nil.
type Config struct {
	What    string       // the places, in the plural, for messages
	Places  int          // how many there are
	Reserve int          // how many of them are for Try alone
	Remedy  string       // what to do where they do not suffice, for messages
	Warn    func(string) // gets waits of more than 5 s, with the holders
	Err     func() error // tells why no place will be given any more; it is asked while somebody waits
}

// FullError tells that there are not as many places as somebody wants who cannot wait.
type FullError struct {
	Who     string // wants them
	Wanted  int    // places
	What    string // the places, in the plural
	Places  int    // how many there are
	Holders string // tests with how many places each
	Remedy  string
}

func (e *FullError) Error() string {
	return fmt.Sprintf("%s wants %d of %d %s, which are held by %s; %s", e.Who, e.Wanted, e.Places, e.What, e.Holders, e.Remedy)
}

// Budget gives out places. It may be used concurrently.
type Budget struct {
	config Config

	mu     sync.Mutex
	free   int
	queue  []*waiter
	held   map[string]int // places, by holder
	warned time.Time      // when Warn was last called
}

// waiter is somebody in the queue.
type waiter struct {
	who  string
	n    int
	turn chan struct{} // closed when it has its places
}

// New makes a budget all of whose places are free.
func New(c Config) *Budget { return &Budget{config: c, free: c.Places, held: map[string]int{}} }

// Take waits for n places. release gives them back; call it once. Waits of more than 5 s are told to Config.Warn.
//
// Errors: that of ctx, with the holders; that of Config.Err; [*FullError] if there will never be as many.
func (b *Budget) Take(ctx context.Context, who string, n int) (release func(), err error) {
	b.mu.Lock()
	if n > b.config.Places-b.config.Reserve {
		defer b.mu.Unlock()
		return nil, b.full(who, n)
	}
	w := &waiter{who: who, n: n, turn: make(chan struct{})}
	b.queue = append(b.queue, w)
	b.serve()
	b.mu.Unlock()
	if err := b.wait(ctx, w); err != nil {
		return nil, err
	}
	return b.releaser(who, n), nil
}

// Try takes n places at once, also of those that are reserved.
//
// Errors: [*FullError].
func (b *Budget) Try(who string, n int) (release func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.free < n {
		return nil, b.full(who, n)
	}
	b.give(who, n)
	return b.releaser(who, n), nil
}

// Free is how many places are free.
func (b *Budget) Free() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.free
}

// wait waits for w's turn. It holds its places afterwards, or returns an error.
func (b *Budget) wait(ctx context.Context, w *waiter) error {
	select {
	case <-w.turn: // as a rule
		return nil
	default:
	}
	warn, again := time.NewTimer(slow), time.NewTicker(interval)
	defer warn.Stop()
	defer again.Stop()
	for {
		select {
		case <-w.turn:
			return nil
		case <-again.C:
			if b.config.Err == nil {
				continue
			}
			if err := b.config.Err(); err != nil {
				b.leave(w)
				return fmt.Errorf("wait for %s: %w", b.config.What, err)
			}
		case <-warn.C:
			b.warn(w.who)
		case <-ctx.Done():
			b.leave(w)
			return fmt.Errorf("wait for %s, which are held by %s: %w", b.config.What, b.Holders(), context.Cause(ctx))
		}
	}
}

// leave takes w out of the queue, or gives its places back if its turn came at the same moment.
func (b *Budget) leave(w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.queue, w); i >= 0 {
		b.queue = slices.Delete(b.queue, i, i+1)
		b.serve() // the next one may want fewer
		return
	}
	b.giveBack(w.who, w.n)
}

// warn tells of a wait, unless another was told of in the last 5 s.
func (b *Budget) warn(who string) {
	b.mu.Lock()
	others, lately := len(b.queue)-1, time.Since(b.warned) < slow
	if !lately {
		b.warned = time.Now()
	}
	b.mu.Unlock()
	if lately || b.config.Warn == nil {
		return
	}
	more := ","
	if others > 0 {
		more = fmt.Sprintf(", as do %d others,", others)
	}
	b.config.Warn(fmt.Sprintf("%s waits for %s%s which are held by %s", who, b.config.What, more, b.Holders()))
}

// serve gives places to those who are first in the queue. Call it with the lock held.
func (b *Budget) serve() {
	for len(b.queue) > 0 && b.free-b.config.Reserve >= b.queue[0].n {
		w := b.queue[0]
		b.queue = b.queue[1:]
		b.give(w.who, w.n)
		close(w.turn)
	}
}

// give counts places as somebody's. Call it with the lock held.
func (b *Budget) give(who string, n int) {
	b.free -= n
	b.held[who] += n
}

// giveBack takes somebody's places back. Call it with the lock held.
func (b *Budget) giveBack(who string, n int) {
	b.free += n
	if b.held[who] -= n; b.held[who] <= 0 {
		delete(b.held, who)
	}
	b.serve()
}

func (b *Budget) releaser(who string, n int) func() {
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.giveBack(who, n)
	}
}

// full is the error of who cannot have n places. Call it with the lock held.
func (b *Budget) full(who string, n int) error {
	return &FullError{Who: who, Wanted: n, What: b.config.What, Places: b.config.Places, Holders: describe(b.held), Remedy: b.config.Remedy}
}

// Holders names who holds places, those with most first, and how many each has.
func (b *Budget) Holders() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return describe(b.held)
}

func describe(held map[string]int) string {
	names := slices.SortedFunc(maps.Keys(held), func(x, y string) int {
		return cmp.Or(held[y]-held[x], strings.Compare(x, y))
	})
	const most = 10
	var parts []string
	for _, name := range names[:min(most, len(names))] {
		parts = append(parts, fmt.Sprintf("%s (%d)", name, held[name]))
	}
	if rest := len(names) - most; rest > 0 {
		parts = append(parts, fmt.Sprintf("%d more", rest))
	}
	return cmp.Or(strings.Join(parts, ", "), "nobody any more")
}
