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

// TestTake has 50 tests that want two places each share 7.
func TestTake(t *testing.T) {
	t.Parallel()
	b := budget.New(budget.Config{What: "places", Places: 7})
	var inside, most atomic.Int64
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			release, err := b.Take(t.Context(), "TestX", 2)
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
	if most.Load() != 3 || b.Free() != 7 || b.Holders() != "nobody any more" {
		t.Errorf("at most %d inside, %d free, held by %s; want 3, 7, nobody", most.Load(), b.Free(), b.Holders())
	}
}

// TestReserve keeps some places for those who cannot wait.
func TestReserve(t *testing.T) {
	t.Parallel()
	b := budget.New(budget.Config{What: "places", Places: 3, Reserve: 1, Remedy: "raise it"})
	for range 2 {
		if _, err := b.Take(t.Context(), "TestA", 1); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := b.Take(ctx, "TestB", 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Take of a place in reserve = %v, want a wait", err)
	}
	if _, err := b.Try("TestA", 1); err != nil {
		t.Errorf("Try of a place in reserve = %v", err)
	}
	var full *budget.FullError
	const want = "TestA wants 2 of 3 places, which are held by TestA (3); raise it"
	if _, err := b.Try("TestA", 2); !errors.As(err, &full) || full.Error() != want {
		t.Errorf("Try = %v, want %s", err, want)
	}
}

// TestTooMany refuses at once what there will never be.
func TestTooMany(t *testing.T) {
	t.Parallel()
	b := budget.New(budget.Config{What: "places", Places: 3, Reserve: 1})
	var full *budget.FullError
	if _, err := b.Take(t.Context(), "TestA", 3); !errors.As(err, &full) {
		t.Errorf("Take = %v, want a FullError", err)
	}
}

// TestOrder lets nobody pass who wants less than the first of the queue, until that one gives up.
func TestOrder(t *testing.T) {
	t.Parallel()
	b := budget.New(budget.Config{What: "places", Places: 2})
	if _, err := b.Take(t.Context(), "TestA", 1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	large := make(chan error)
	go func() {
		_, err := b.Take(ctx, "TestLarge", 2)
		large <- err
	}()
	waiting, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	for waiting.Err() == nil { // until TestLarge is in the queue
		short, end := context.WithTimeout(t.Context(), 5*time.Millisecond)
		release, err := b.Take(short, "TestSmall", 1)
		end()
		if err != nil {
			break
		}
		release()
	}
	if waiting.Err() != nil {
		t.Error("TestSmall passed TestLarge")
	}
	small := make(chan error)
	go func() {
		_, err := b.Take(t.Context(), "TestSmall", 1)
		small <- err
	}()
	cancel()
	if err := <-large; !errors.Is(err, context.Canceled) {
		t.Errorf("TestLarge: %v, want canceled", err)
	}
	if err := <-small; err != nil {
		t.Errorf("TestSmall: %v", err)
	}
}

// TestWarn waits for longer than is usual, and then gives up.
func TestWarn(t *testing.T) {
	t.Parallel()
	var warned atomic.Value
	b := budget.New(budget.Config{What: "places", Places: 2, Warn: func(s string) { warned.Store(s) }})
	release, err := b.Take(t.Context(), "TestGreedy", 2)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5200*time.Millisecond)
	defer cancel()
	_, err = b.Take(ctx, "TestPoor", 1)
	want := "wait for places, which are held by TestGreedy (2): context deadline exceeded"
	if !errors.Is(err, context.DeadlineExceeded) || err.Error() != want {
		t.Errorf("Take = %v, want %s", err, want)
	}
	if got, _ := warned.Load().(string); got != "TestPoor waits for places, which are held by TestGreedy (2)" {
		t.Errorf("warned of %q", got)
	}
	release()
	if b.Free() != 2 {
		t.Errorf("%d free, want 2", b.Free())
	}
}

// TestHolders lists the first holders, those with most places first.
func TestHolders(t *testing.T) {
	t.Parallel()
	b := budget.New(budget.Config{What: "places", Places: 100})
	for i := range 12 {
		if _, err := b.Try(fmt.Sprintf("Test%d", i), 12-i); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.Holders(); !strings.HasPrefix(got, "Test0 (12), Test1 (11), ") || !strings.HasSuffix(got, "Test9 (3), 2 more") {
		t.Errorf("Holders = %s", got)
	}
}

// TestErr ends a wait.
func TestErr(t *testing.T) {
	t.Parallel()
	over := errors.New("the server has ended")
	b := budget.New(budget.Config{What: "places", Places: 1, Err: func() error { return over }})
	if _, err := b.Take(t.Context(), "TestA", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Take(t.Context(), "TestB", 1); !errors.Is(err, over) || err.Error() != "wait for places: the server has ended" {
		t.Errorf("Take = %v, want %v", err, over)
	}
}
