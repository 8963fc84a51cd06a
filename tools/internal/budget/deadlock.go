package budget

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// DeadlockError tells that tests hold all places and each waits for another to give some back.
type DeadlockError struct {
	What    string // the places, in the plural
	Places  int    // how many there are
	Holders string // tests with how many places each
	Remedy  string
}

func (e *DeadlockError) Error() string {
	return fmt.Sprintf("deadlock: all %d %s are held by tests that wait for more, %s; %s", e.Places, e.What, e.Holders, e.Remedy)
}

// breakDeadlock looks for a deadlock if w is the first in the queue and nothing has changed for a while. It breaks one
// by a place in reserve for the test that holds most, which then is the nearest to having all it wants. If no place is
// left in reserve, the newest waiter gets an error.
func (b *Budget) breakDeadlock(w *waiter) {
	b.mu.Lock()
	since, queue, holders := b.changed, slices.Clone(b.queue), maps.Clone(b.holders)
	b.mu.Unlock()
	if len(queue) == 0 || queue[0] != w || time.Since(since) < deadlockTimeout {
		return
	}
	places, deadlocked := b.deadlocked(queue, holders)
	if !deadlocked {
		return
	}
	richest := 0
	for i, w := range queue {
		if places[w.holder.Test()] > places[queue[richest].holder.Test()] {
			richest = i
		}
	}
	err := &DeadlockError{b.config.What, b.config.Places, describe(holders), b.config.Remedy}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.changed.Equal(since) || !slices.Equal(b.queue, queue):
	case b.free > -b.config.Reserve:
		b.serve(richest)
	default:
		last := len(b.queue) - 1
		b.queue[last].turn <- err
		b.queue = b.queue[:last]
		b.changed = time.Now()
	}
}

// deadlocked reports whether each test with places waits, or has a subtest that does, and counts the places of each.
func (b *Budget) deadlocked(queue []*waiter, holders map[Holder]int) (places map[string]int, yes bool) {
	waits := map[string]bool{} // by the names of tests, and of the tests that they are subtests of
	for _, w := range queue {
		name := w.holder.Test()
		for end := len(name); end > 0; end = strings.LastIndexByte(name[:end], '/') {
			waits[name[:end]] = true
		}
	}
	places = map[string]int{}
	for h, n := range holders {
		test := h.Test()
		if test == "" || !waits[test] {
			return nil, false
		}
		places[test] += n
	}
	return places, len(holders) > 0 && (b.config.Idle == nil || b.config.Idle())
}
