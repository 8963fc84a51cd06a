package cells_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// leaks are ways not to give a connection back; release does so after all.
var leaks = []func(context.Context, *cells.Lease) (release func(), err error){
	func(ctx context.Context, l *cells.Lease) (func(), error) {
		conn, err := l.Pool().Acquire(ctx)
		return func() { conn.Release() }, err
	},
	func(ctx context.Context, l *cells.Lease) (func(), error) {
		rows, err := l.Pool().Query(ctx, "SELECT generate_series(1, 100000)")
		return func() { rows.Close() }, err
	},
	func(ctx context.Context, l *cells.Lease) (func(), error) {
		pool, err := l.WidePool()
		if err != nil {
			return nil, err
		}
		db := stdlib.OpenDBFromPool(pool)
		l.Before(func() { db.Close() }) // as Cell.DB has it
		conn, err := db.Conn(ctx)
		return func() { conn.Close() }, err
	},
	func(ctx context.Context, l *cells.Lease) (func(), error) {
		conn, err := pgx.Connect(ctx, l.URL())
		return func() { conn.Close(context.Background()) }, err
	},
}

// mustLeak has n tests leak connections, 16 at once, as the return of each waits a little for its connection.
func mustLeak(t *testing.T, c *cells.Cluster, n int) (release []func()) {
	t.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	for k := range 16 {
		group.Go(func() {
			for i := k; i < n; i += 16 {
				l, err := c.Take(context.Background(), cells.Request{Test: fmt.Sprint("Test", i)})
				if err != nil {
					t.Error(err)
					return
				}
				one, err := leaks[i%len(leaks)](context.Background(), l)
				if err != nil {
					t.Error(err)
					return
				}
				if err := l.Return(); err != nil {
					t.Error(err)
				}
				mu.Lock()
				release = append(release, one)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if err := c.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	return release
}

// TestLeakedConnections has 1,500 tests leak connections. For each pool with such a connection, a goroutine waits in
// pgxpool's Close until it is given back; nothing else grows. The test is not parallel, since it counts the goroutines of
// the process.
func TestLeakedConnections(t *testing.T) {
	tests := 1500
	if testing.Short() {
		tests = 150
	}
	c := mustShop(t, func(c *cells.Config) { c.Recycle, c.Warn, c.Trace = cells.Auto, func(string) {}, nil })
	first := mustLeak(t, c, 64)
	before, _ := goroutines()
	filesBefore := openFiles()
	release := mustLeak(t, c, tests)
	const few = 60 // ready cells have pools, and some goroutines are about to end
	var after map[string]int
	var closing int
	if !eventually(func() bool { after, closing = goroutines(); return grown(before, after) <= few }) {
		t.Errorf("after %d tests that leak connections, there are %d goroutines more, besides those that wait in Close:\n%s",
			tests, grown(before, after), strings.Join(slices.Collect(maps.Keys(after)), "\n\n"))
	}
	if files := openFiles(); files > filesBefore+tests/len(leaks)+few { // connections by URL are the tests' own
		t.Errorf("after %d tests that leak connections, %d files are open, %d before", tests, files, filesBefore)
	}
	if most := len(first) + len(release); closing > most {
		t.Errorf("%d goroutines wait in Close for %d connections", closing, most)
	}
	t.Logf("%d goroutines wait in Close, and there are %d others more", closing, grown(before, after))
	for _, one := range append(first, release...) {
		one()
	}
	if !eventually(func() bool { _, closing = goroutines(); return closing == 0 }) {
		t.Errorf("%d goroutines wait in Close though all connections are given back", closing)
	}
}

// openFiles counts the files that the process has open, sockets among them; 0 where the system does not tell.
func openFiles() int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(files)
}

// goroutines counts the goroutines that stand at each place, but for those that wait in the Close of a pool.
func goroutines() (others map[string]int, closing int) {
	buffer := make([]byte, 64<<20)
	others = map[string]int{}
	for one := range strings.SplitSeq(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
		if strings.Contains(one, "pgxpool.(*Pool).Close") {
			closing++
			continue
		}
		var calls []string
		for line := range strings.Lines(one) {
			if !strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "goroutine ") {
				name, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "(0x")
				calls = append(calls, strings.TrimSpace(name))
			}
		}
		others[strings.Join(calls, "\n")]++
	}
	return others, closing
}

// grown is how many goroutines there are more, where there are more.
func grown(before, after map[string]int) (n int) {
	for place, now := range after {
		n += max(0, now-before[place])
	}
	return n
}
