package cells_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestWritesAtTheEnd has sessions of a test's own making write, and end, at the moment at which its cell is recycled.
func TestWritesAtTheEnd(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Ahead, c.Recycle = cells.AheadOff, cells.Auto })
	const state = "SELECT concat_ws(' ', (SELECT count(*) FROM parent), last_value, is_called) FROM parent_id_seq"
	recycled := 0
	for i := range 400 {
		l := mustTake(t, c)
		if l.Made() == "recycled" {
			recycled++
		}
		var got string
		if err := l.Pool().QueryRow(t.Context(), state).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != "0 1 f" {
			t.Fatalf("test %d, in a %s cell: rows, last value, called %q, want 0 1 f", i, l.Made(), got)
		}
		mustRun(t, l, "INSERT INTO parent (name) VALUES ('own')")
		var writers sync.WaitGroup
		for range 2 {
			conn, err := pgx.Connect(t.Context(), l.URL())
			if err != nil {
				t.Fatal(err)
			}
			wait := time.Duration(rand.IntN(1500)) * time.Microsecond
			writers.Go(func() {
				time.Sleep(wait)
				if _, err := conn.Exec(t.Context(), fmt.Sprintf("INSERT INTO parent (name) VALUES ('late, %d')", i)); err != nil {
					t.Log(err) // it was ended before
				}
				conn.Close(t.Context())
			})
		}
		time.Sleep(time.Duration(rand.IntN(1000)) * time.Microsecond)
		if err := l.Return(); err != nil {
			t.Fatal(err)
		}
		writers.Wait()
		if err := c.Quiet(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if recycled < 300 {
		t.Errorf("%d of 399 cells were recycled, want 300", recycled)
	}
}

// TestLockOfALeftSession has a session hold a lock on what is probably to be emptied, in a cell that never was.
func TestLockOfALeftSession(t *testing.T) {
	t.Parallel()
	var traced warnings
	c := mustShop(t, func(c *cells.Config) { c.Ahead, c.Trace = cells.AheadOff, traced.add })
	first, second := mustTake(t, c), mustTake(t, c)
	for _, l := range []*cells.Lease{first, second} {
		mustRun(t, l, "INSERT INTO parent (name) VALUES ('x'); INSERT INTO child (parent_id) SELECT id FROM parent")
	}
	conn, err := pgx.Connect(t.Context(), second.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK parent"); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*cells.Lease{first, second} {
		if err := l.Return(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		l := mustTake(t, c)
		if n := count(t, l, "parent") + count(t, l, "child"); l.Made() != "recycled" || n != 0 {
			t.Errorf("a %s cell with %d rows, want a recycled one without any; traced: %s", l.Made(), n, &traced)
		}
	}
}

// TestPoolOfAnEarlierTest has a pool connect when the cell, with its sessions, has gone to another test.
func TestPoolOfAnEarlierTest(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Ahead, c.Recycle = cells.AheadOff, cells.Auto })
	l := mustTake(t, c)
	mustRun(t, l, "SELECT 1") // so that there is a session to go on
	late, err := l.OpenPool()
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	if err := l.Return(); err != nil {
		t.Fatal(err)
	}
	next := mustTake(t, c)
	if _, err := next.WidePool(); err != nil { // puts the session to rest
		t.Fatal(err)
	}
	var pg *pgconn.PgError
	if _, err := late.Exec(t.Context(), "SELECT 1"); !errors.As(err, &pg) || pg.Code != "3D000" {
		t.Errorf("the earlier test's pool, when a %s cell is in use: %v, want 3D000", next.Made(), err)
	}
}

// TestWorkersThatGoOn has goroutines use a test's pools until these are closed, so that they ask for connections while
// the cell's sessions are on their way to the next test.
func TestWorkersThatGoOn(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*cells.Lease) (*pgxpool.Pool, error){
		"narrow": func(l *cells.Lease) (*pgxpool.Pool, error) { return l.Pool(), nil },
		"wide":   (*cells.Lease).WidePool,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := mustShop(t, func(c *cells.Config) { c.Ahead, c.Recycle, c.Warn = cells.AheadOff, cells.Auto, nil })
			for range 400 {
				l := mustTake(t, c)
				pool, err := open(l)
				if err != nil {
					t.Fatal(err)
				}
				var n int
				if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM parent").Scan(&n); err != nil || n != 0 {
					t.Fatalf("a %s cell with %d rows, %v; want none", l.Made(), n, err)
				}
				var workers sync.WaitGroup
				for range 3 {
					workers.Go(func() {
						for {
							if _, err := pool.Exec(t.Context(), "INSERT INTO parent (name) VALUES ('worker')"); err != nil {
								return
							}
							time.Sleep(time.Duration(rand.IntN(200)) * time.Microsecond)
						}
					})
				}
				time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
				if err := l.Return(); err != nil {
					t.Fatal(err)
				}
				workers.Wait()
			}
		})
	}
}
