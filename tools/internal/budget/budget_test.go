package budget_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/budget"
)

// holder is a test's, or nobody's.
type holder struct{ test string }

func (h *holder) Test() string   { return h.test }
func (h *holder) String() string { return h.test }

// TestTake has 50 holders share 3 places.
func TestTake(t *testing.T) {
	t.Parallel()
	b := budget.New(budget.Config{What: "places", Places: 3})
	var inside, most atomic.Int64
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			release, err := b.Take(t.Context(), &holder{"TestX"})
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
	if most.Load() != 3 || b.Free() != 3 || len(b.Holders()) != 0 {
		t.Errorf("at most %d inside, %d free, holders %v; want 3, 3, none", most.Load(), b.Free(), b.Holders())
	}
}

// TestWarn waits for longer than is usual, and then gives up.
func TestWarn(t *testing.T) {
	t.Parallel()
	var warned, released atomic.Value
	b := budget.New(budget.Config{
		What: "places", Places: 1, Warn: func(s string) { warned.Store(s) }, Release: func() { released.Store(true) },
	})
	greedy := &holder{"TestGreedy"}
	if _, err := b.Take(t.Context(), greedy); err != nil {
		t.Fatal(err)
	}
	release := b.Force(greedy)
	ctx, cancel := context.WithTimeout(t.Context(), 5200*time.Millisecond)
	defer cancel()
	_, err := b.Take(ctx, &holder{"TestPoor"})
	want := "wait for places, which are held by TestGreedy (2): context deadline exceeded"
	if !errors.Is(err, context.DeadlineExceeded) || err.Error() != want {
		t.Errorf("Take = %v, want %s", err, want)
	}
	if got, _ := warned.Load().(string); got != "TestPoor waits for places, which are held by TestGreedy (2)" {
		t.Errorf("warned of %q", got)
	}
	if released.Load() == nil {
		t.Error("Config.Release was not called")
	}
	release()
	if b.Free() != 0 || b.Try(greedy) != nil {
		t.Errorf("%d free, want none", b.Free())
	}
}

// TestHoldersInMessages lists the first holders, those with most places first.
func TestHoldersInMessages(t *testing.T) {
	t.Parallel()
	b := budget.New(budget.Config{What: "places"})
	for i := range 12 {
		for range 12 - i {
			b.Force(&holder{fmt.Sprintf("Test%d", i)})
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Take(ctx, &holder{"TestX"})
	if got := fmt.Sprint(err); !strings.Contains(got, "held by Test0 (12), Test1 (11), ") || !strings.Contains(got, "Test9 (3), 2 more: ") {
		t.Errorf("Take = %s", got)
	}
}

// deadlock has tests take a place each, and then all wait for another. It gives their errors.
func deadlock(t *testing.T, b *budget.Budget, names ...string) map[string]error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var mu sync.Mutex
	all := map[string]error{}
	var first, group sync.WaitGroup
	first.Add(len(names))
	for _, name := range names {
		group.Go(func() {
			h := &holder{name}
			release, err := b.Take(ctx, h)
			first.Done()
			if err == nil {
				defer release()
				first.Wait()
				var more func()
				if more, err = b.Take(ctx, &holder{name}); err == nil {
					more()
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all[name] = err
		})
	}
	group.Wait()
	return all
}

// TestDeadlockIsBroken lends one test of a deadlock what it waits for; then all go on.
func TestDeadlockIsBroken(t *testing.T) {
	t.Parallel()
	b := budget.New(budget.Config{What: "places", Places: 3, Reserve: 1})
	for name, err := range deadlock(t, b, "TestA", "TestB", "TestC") {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if b.Free() != 3 {
		t.Errorf("%d free, want 3", b.Free())
	}
}

// TestDeadlockError fails one test of a deadlock that no reserve breaks; then the others go on.
func TestDeadlockError(t *testing.T) {
	t.Parallel()
	b := budget.New(budget.Config{What: "places", Places: 2, Remedy: "raise it"})
	var failed []error
	for _, err := range deadlock(t, b, "TestA", "TestA/sub") {
		if err != nil {
			failed = append(failed, err)
		}
	}
	var d *budget.DeadlockError
	want := "deadlock: all 2 places are held by tests that wait for more, TestA (1), TestA/sub (1); raise it"
	if len(failed) != 1 || !errors.As(failed[0], &d) || d.Error() != want {
		t.Errorf("errors %v, want one: %s", failed, want)
	}
}

// TestSubtestDeadlocks counts a test that waits for its subtest, which waits for a place.
func TestSubtestDeadlocks(t *testing.T) {
	t.Parallel()
	b := budget.New(budget.Config{What: "places", Places: 1})
	b.Force(&holder{"TestA"})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var d *budget.DeadlockError
	if _, err := b.Take(ctx, &holder{"TestA/x/y"}); !errors.As(err, &d) {
		t.Errorf("Take = %v, want a deadlock", err)
	}
}

// TestNoDeadlock waits for holders that may still give places back.
func TestNoDeadlock(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]struct {
		holder string
		idle   bool
	}{
		"another test does not wait": {"TestB", true},
		"a statement runs":           {"TestA", false},
		"no test has the cell":       {"", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := budget.New(budget.Config{What: "places", Places: 1, Reserve: 5, Idle: func() bool { return run.idle }})
			release := b.Force(&holder{run.holder})
			time.AfterFunc(1500*time.Millisecond, release)
			if _, err := b.Take(t.Context(), &holder{"TestA"}); err != nil || b.Free() != 0 {
				t.Errorf("Take = %v, %d free; want none of the reserve used", err, b.Free())
			}
		})
	}
}

// TestErr ends a wait at once.
func TestErr(t *testing.T) {
	t.Parallel()
	over := errors.New("the server has ended")
	b := budget.New(budget.Config{What: "places", Err: func() error { return over }})
	if _, err := b.Take(t.Context(), &holder{"TestA"}); !errors.Is(err, over) || err.Error() != "wait for places: the server has ended" {
		t.Errorf("Take = %v, want %v", err, over)
	}
}
