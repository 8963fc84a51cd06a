package cells_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/budget"
	"github.com/pgcell/pgcell/tools/internal/cells"
)

// deadlock has tests take cells, use two connections of each, wait for each other, and then use all four of each.
func deadlock(t *testing.T, tests, each int, settings map[string]string) (failed []error) {
	t.Helper()
	c := mustShop(t, func(c *cells.Config) { c.Recycle, c.Settings = cells.Auto, settings })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var mu sync.Mutex
	var half, all sync.WaitGroup
	half.Add(tests)
	for i := range tests {
		var leases []*cells.Lease
		for k := range each {
			l, err := c.Take(ctx, cells.Request{Test: fmt.Sprint("Test", i), Holding: i+k > 0})
			if err != nil {
				t.Fatal(err)
			}
			leases = append(leases, l)
		}
		all.Go(func() {
			var held []*pgxpool.Conn
			acquire := func() error {
				for _, l := range leases {
					for range 2 {
						conn, err := l.Pool().Acquire(ctx)
						if err != nil {
							return err
						}
						held = append(held, conn)
					}
				}
				return nil
			}
			err := acquire()
			half.Done()
			half.Wait()
			if err == nil {
				err = acquire()
			}
			for _, conn := range held {
				conn.Release()
			}
			for _, l := range leases {
				l.Return()
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, err)
			}
		})
	}
	all.Wait()
	return failed
}

// TestConnectionsDeadlock has 4 tests with two cells each use all connections of both: together more than the server
// has, so that each holds some and waits for the others.
func TestConnectionsDeadlock(t *testing.T) {
	t.Parallel()
	for _, err := range deadlock(t, 4, 2, map[string]string{"max_connections": "30"}) {
		t.Error(err)
	}
}

// TestConnectionsTooFew has one test use more connections than the server has: it is told so at once.
func TestConnectionsTooFew(t *testing.T) {
	t.Parallel()
	failed := deadlock(t, 1, 7, map[string]string{"max_connections": "30"})
	var d *budget.DeadlockError
	if len(failed) != 1 || !errors.As(failed[0], &d) {
		t.Fatalf("errors %v, want one deadlock", failed)
	}
	if !strings.Contains(d.Error(), "Test0 (2") || !strings.Contains(d.Error(), "set max_connections, which is 30, higher") {
		t.Errorf("error %q does not name holders and remedy", d)
	}
}
