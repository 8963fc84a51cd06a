package cells_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestFiveHundredAtOnce has 500 tests run at the same time, which want five times as many connections as the server
// has. None may see "too many clients".
func TestFiveHundredAtOnce(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Recycle = cells.Auto })
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

// TestSecondCellDoesNotWait has as many tests as may have cells ask for a second one each, which nobody could give back
// before.
func TestSecondCellDoesNotWait(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) {
		c.Recycle, c.Settings = cells.Auto, map[string]string{"max_connections": "20"}
	})
	var first, second []*cells.Lease
	for range 2 {
		first = append(first, mustTake(t, c))
	}
	for range 2 {
		l, err := c.Take(t.Context(), cells.Request{Test: t.Name(), Holding: true})
		if err != nil {
			t.Fatal(err)
		}
		second = append(second, l)
	}
	for _, l := range append(first, second...) {
		if err := l.Return(); err != nil {
			t.Error(err)
		}
	}
}

// TestFullMemory fills memory with cells that are kept, and goes on on disk.
func TestFullMemory(t *testing.T) {
	t.Parallel()
	var warnings warnings
	c := mustShop(t, func(c *cells.Config) {
		c.Recycle, c.Warn, c.StorageLimit, c.Ahead = cells.Auto, warnings.add, 190<<20, cells.AheadOff
	})
	if !c.Server().InMemory() {
		t.Skip("this machine has no memory to spare")
	}
	var leases []*cells.Lease
	for i := 0; i < 14; i++ {
		l := mustTake(t, c)
		leases = append(leases, l)
		mustRun(t, l, "INSERT INTO parent (name) VALUES ('x')")
	}
	if !strings.Contains(warnings.String(), "memory for cells is full: further ones are made on disk, in ") {
		t.Errorf("14 cells in 190 MB: warnings %q do not tell of the disk", warnings.String())
	}
	var onDisk int
	const find = "SELECT count(*) FROM pg_database d JOIN pg_tablespace s ON s.oid = d.dattablespace WHERE spcname = 'pgcell_spare'"
	if err := c.Admin().QueryRow(t.Context(), find).Scan(&onDisk); err != nil || onDisk == 0 {
		t.Errorf("%d databases on disk, %v; want some", onDisk, err)
	}
	for _, l := range leases {
		if n := count(t, l, "parent"); n != 1 {
			t.Errorf("%s has %d rows, want 1", l.Name(), n)
		}
		if err := l.Return(); err != nil {
			t.Error(err)
		}
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
	// A busy machine has cells made ahead, up to a fixed number: see the fields peak and ahead of a pool.
	most := before + 1 + runtime.GOMAXPROCS(0) + 1
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
