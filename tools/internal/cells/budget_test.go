package cells

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func name(s string) func() string { return func() string { return s } }

// TestBudget has 50 takers share 3 places.
func TestBudget(t *testing.T) {
	t.Parallel()
	b := &budget{what: "places", warn: func(string) {}, free: 3}
	var inside, most atomic.Int64
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			release, err := b.take(t.Context(), i, name("x"))
			if err != nil {
				t.Error(err)
				return
			}
			n := inside.Add(1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			time.Sleep(time.Millisecond)
			inside.Add(-1)
			release()
		})
	}
	group.Wait()
	if most.Load() != 3 || b.free != 3 || len(b.holders) != 0 {
		t.Errorf("at most %d inside, %d free, holders %v; want 3, 3, none", most.Load(), b.free, b.holders)
	}
}

// TestBudgetTellsOfWaits waits longer than is usual, and then gives up.
func TestBudgetTellsOfWaits(t *testing.T) {
	t.Parallel()
	var warned, shed atomic.Value
	b := &budget{what: "places", warn: func(s string) { warned.Store(s) }, shed: func() { shed.Store(true) }, free: 1}
	if _, err := b.take(t.Context(), "k", name("TestGreedy")); err != nil {
		t.Fatal(err)
	}
	release := b.force("k", name("TestGreedy"))
	ctx, cancel := context.WithTimeout(t.Context(), slowly+200*time.Millisecond)
	defer cancel()
	_, err := b.take(ctx, "other", name("TestPoor"))
	want := "wait for places, which are held by TestGreedy (2): context deadline exceeded"
	if !errors.Is(err, context.DeadlineExceeded) || err.Error() != want {
		t.Errorf("take = %v, want %s", err, want)
	}
	if got, _ := warned.Load().(string); got != "TestPoor waits for places, which are held by TestGreedy (2)" {
		t.Errorf("warned of %q", got)
	}
	if shed.Load() == nil {
		t.Error("unused places were not asked back")
	}
	release()
	if b.free != 0 || len(b.queue) != 0 {
		t.Errorf("%d free, %d in the queue, want none", b.free, len(b.queue))
	}
}

func TestBudgetNamesTheFirstHolders(t *testing.T) {
	t.Parallel()
	b := &budget{free: 20}
	for i := range 12 {
		b.force(i, name("TestX"))
	}
	if got := b.held(); strings.Count(got, "TestX (1)") != 10 || !strings.HasSuffix(got, ", 2 more") {
		t.Errorf("held() = %q", got)
	}
}
