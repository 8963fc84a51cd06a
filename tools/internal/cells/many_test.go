package cells_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/budget"
	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestFiveHundredAtOnce has 500 tests run at the same time, which want five times as many connections as the server
// has. None may see "too many clients".
func TestFiveHundredAtOnce(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) {
		c.Recycle, c.Settings = cells.Auto, map[string]string{"max_connections": "150"}
	})
	var group sync.WaitGroup
	for i := range 500 {
		group.Go(func() {
			l, err := c.Take(context.Background(), cells.Request{Test: fmt.Sprint("Test", i)})
			if err != nil {
				t.Error(err)
				return
			}
			var queries sync.WaitGroup
			for range 3 {
				queries.Go(func() {
					if _, err := l.Pool().Exec(context.Background(), "INSERT INTO parent (name) VALUES ('x')"); err != nil {
						t.Error(err)
					}
				})
			}
			queries.Wait()
			if n := count(t, l, "parent"); n != 3 {
				t.Errorf("%d rows, want 3", n)
			}
			if err := l.Return(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// TestSecondCellDoesNotWait has tests take cells until the next one would wait. Then tests that have one get second ones at
// once, of connections that are reserved for that, and in the end an error that says who holds what.
func TestSecondCellDoesNotWait(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) {
		c.Recycle, c.Settings = cells.Auto, map[string]string{"max_connections": "120"}
	})
	var leases []*cells.Lease
	for {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		l, err := c.Take(ctx, cells.Request{Test: fmt.Sprint("Test", len(leases))})
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		leases = append(leases, l)
	}
	first := len(leases)
	var full *budget.FullError
	for {
		l, err := c.Take(t.Context(), cells.Request{Test: "Test0", Holding: true})
		if errors.As(err, &full) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		leases = append(leases, l)
	}
	second := len(leases) - first
	for _, want := range []string{
		"Test0 wants 5 of ", fmt.Sprintf("held by Test0 (%d), Test1 (5), ", 5+5*second), "; run fewer tests at once", "max_connections, which is 120, higher",
	} {
		if !strings.Contains(full.Error(), want) {
			t.Errorf("error %q, want %q in it", full, want)
		}
	}
	if first < 5 || second < 1 {
		t.Errorf("%d first cells and %d second ones, want at least 5 and 1", first, second)
	}
	waiting := make(chan error)
	go func() {
		_, err := c.Take(t.Context(), cells.Request{Test: "TestLast"})
		waiting <- err
	}()
	for _, l := range leases {
		if n := count(t, l, "parent"); n != 0 { // all at once
			t.Errorf("%d rows, want none", n)
		}
	}
	for _, l := range leases {
		if err := l.Return(); err != nil {
			t.Error(err)
		}
	}
	if err := <-waiting; err != nil {
		t.Error(err)
	}
}

// TestLargePools counts the connections of pools that a test opens beside its first one.
func TestLargePools(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Settings = map[string]string{"max_connections": "120"} })
	l := mustTake(t, c)
	var full *budget.FullError
	if _, err := l.OwnPool(func(p *pgxpool.Config) { p.MaxConns = 200 }); !errors.As(err, &full) || full.Wanted != 196 {
		t.Errorf("a pool of 200 connections where there are 120: %v, want a FullError", err)
	}
	for range 5 { // a pool that is closed again is given back with the cell
		if _, err := l.WidePool(); err != nil {
			t.Error(err)
		}
		if err := l.Return(); err != nil {
			t.Fatal(err)
		}
		l = mustTake(t, c)
	}
	if err := l.Return(); err != nil {
		t.Fatal(err)
	}
}

// TestParentsHoldCells has tests hold a cell each while only two run at once, as tests do that wait for parallel subtests.
// Afterwards not all of the cells are kept.
func TestParentsHoldCells(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Recycle, c.Parallel = cells.Auto, 2 })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	running := make(chan struct{}, 2)
	var holding sync.WaitGroup
	var leases sync.Map
	for i := range 60 {
		holding.Go(func() {
			running <- struct{}{}
			defer func() { <-running }()
			l, err := c.Take(ctx, cells.Request{Test: fmt.Sprint("Test", i)})
			if err != nil {
				t.Error(err)
				return
			}
			leases.Store(l, true)
			mustRun(t, l, "INSERT INTO parent (name) VALUES ('x')")
		})
	}
	holding.Wait()
	for l := range leases.Range {
		l := l.(*cells.Lease)
		if n := count(t, l, "parent"); n != 1 {
			t.Errorf("%s has %d rows, want 1", l.Name(), n)
		}
		if err := l.Return(); err != nil {
			t.Error(err)
		}
	}
	if err := c.Quiet(ctx); err != nil {
		t.Fatal(err)
	}
	var kept int
	const find = "SELECT count(*) FROM pg_database WHERE datname LIKE 'cell_%'"
	if err := c.Admin().QueryRow(ctx, find).Scan(&kept); err != nil || kept > 10 {
		t.Errorf("%d databases are kept, %v, want 2 for tests that run at once, and at most 8 more", kept, err)
	}
}

// TestNewIsNew asks for a cell that nobody has used while a used one is ready.
func TestNewIsNew(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Ahead = cells.AheadOff })
	for _, fresh := range []bool{false, true, false} {
		l, err := c.Take(t.Context(), cells.Request{Test: t.Name(), New: fresh})
		if err != nil {
			t.Fatal(err)
		}
		if fresh && l.Made() != "cloned" {
			t.Errorf("a cell asked to be new was %s", l.Made())
		}
		if err := l.Return(); err != nil {
			t.Fatal(err)
		}
		if err := c.Quiet(t.Context()); err != nil {
			t.Fatal(err)
		}
		if fresh && databases(t, c, l.Name()) != 0 {
			t.Errorf("%s is still there", l.Name())
		}
	}
}

// TestNothingGrows runs enough tests in one process to see what would grow with their number.
func TestNothingGrows(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Recycle = cells.Auto })
	size := func() (databases int, names int64) {
		t.Helper()
		const find = "SELECT count(*), pg_total_relation_size('pg_database') FROM pg_database"
		if err := c.Admin().QueryRow(t.Context(), find).Scan(&databases, &names); err != nil {
			t.Fatal(err)
		}
		return databases, names
	}
	run := func(n int) {
		for range n {
			l := mustTake(t, c)
			mustRun(t, l, "INSERT INTO parent (name) VALUES ('a'), ('b')")
			if err := l.Return(); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Quiet(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := size()
	run(600)
	databases, names := size()
	run(1200)
	after, namesAfter := size()
	// A busy machine has cells made ahead, up to a fixed number.
	most := before + 1 + min(max(2, runtime.GOMAXPROCS(0)), 8) + 1
	if after > most || namesAfter > names+names/2 {
		t.Errorf("after 600 tests %d databases and %d bytes of names, after 1800 %d and %d; want at most %d databases and 1.5 times the bytes",
			databases, names, after, namesAfter, most)
	}
	l := mustTake(t, c)
	var largest int64
	if err := l.Pool().QueryRow(t.Context(), "SELECT max(pg_total_relation_size(oid)) FROM pg_class WHERE relname IN ('parent', 'child')").Scan(&largest); err != nil {
		t.Fatal(err)
	}
	if largest > 128<<10 {
		t.Errorf("a table and its indexes have grown to %d bytes", largest)
	}
	if err := l.Return(); err != nil {
		t.Fatal(err)
	}
}
