package cells_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestOldURLIsRefused has clients of an earlier test reconnect in a loop, and use its pool, while other tests use the
// same database under other names.
func TestOldURLIsRefused(t *testing.T) {
	t.Parallel()
	var warnings warnings
	c := mustShop(t, func(c *cells.Config) { c.Ahead, c.Recycle, c.Warn = cells.AheadOff, cells.Auto, warnings.add })
	old := mustTake(t, c)
	mustRun(t, old, "INSERT INTO parent (name) VALUES ('old')")
	pool, url := old.Pool(), old.URL()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var got, refused atomic.Int64
	var clients sync.WaitGroup
	for range 3 {
		clients.Go(func() {
			for ctx.Err() == nil {
				conn, err := pgx.Connect(ctx, url)
				var pg *pgconn.PgError
				if errors.As(err, &pg) && pg.Code == "3D000" {
					refused.Add(1)
				}
				if err != nil {
					continue
				}
				conn.Exec(ctx, "INSERT INTO parent (name) VALUES ('intruder')")
				conn.Close(ctx)
				got.Add(1)
			}
		})
	}
	for deadline := time.Now().Add(time.Minute); got.Load() == 0 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
	}
	if err := old.Return(); err != nil {
		t.Fatal(err)
	}
	for range 150 {
		l := mustTake(t, c)
		if n := count(t, l, "parent"); n != 0 {
			t.Fatalf("a %s cell has %d rows", l.Made(), n)
		}
		mustRun(t, l, "INSERT INTO parent (name) VALUES ('new'); UPDATE parent SET name = 'newer'")
		if n := count(t, l, "parent"); n != 1 {
			t.Fatalf("a %s cell has %d rows after one INSERT, want 1", l.Made(), n)
		}
		if _, err := pool.Exec(t.Context(), "SELECT 1"); err == nil || err.Error() != "closed pool" {
			t.Fatalf("the earlier test's pool: %v, want closed pool", err)
		}
		if err := l.Return(); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	clients.Wait()
	if got.Load() == 0 || refused.Load() == 0 {
		t.Errorf("clients connected %d times and were refused %d times, want both", got.Load(), refused.Load())
	}
}

func count(t testing.TB, l *cells.Lease, table string) (n int) {
	t.Helper()
	if err := l.Pool().QueryRow(context.Background(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

type warnings struct {
	mu  sync.Mutex
	all []string
}

func (w *warnings) add(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, s)
}

func (w *warnings) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.all, "\n")
}

// TestSessionsLeftAreNamed leaves a session of a client of its own, and a connection that was not released, in a cell
// that is recycled and in one that is dropped.
func TestSessionsLeftAreNamed(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{"SELECT 'remember me'", "CREATE TABLE remember_me ()"} {
		var warnings warnings
		c := mustShop(t, func(c *cells.Config) { c.Recycle, c.Warn = cells.Auto, warnings.add })
		l, err := c.Take(t.Context(), cells.Request{Test: "TestForgetful"})
		if err != nil {
			t.Fatal(err)
		}
		mustExec(t, l.URL()+"&application_name=lost", "SELECT 1", sql)
		if _, err := l.Pool().Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := l.Return(); err != nil {
			t.Fatal(err)
		}
		if err := c.Quiet(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"test TestForgetful has not given a connection back", "test TestForgetful left a session, which was ended: process ",
			`application_name "lost", idle, last query "` + sql + `"`,
		} {
			if !strings.Contains(warnings.String(), want) {
				t.Errorf("after %s, warnings %q do not contain %q", sql, warnings.String(), want)
			}
		}
	}
}

// TestConnectionsNotGivenBackAreCutOff has more connections be forgotten than the server takes.
func TestConnectionsNotGivenBackAreCutOff(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Recycle = cells.Auto; c.Settings = map[string]string{"max_connections": "30"} })
	for range 60 {
		l := mustTake(t, c)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if _, err := l.Pool().Acquire(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := l.Return(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCrash kills a process of the server, which ends all sessions and starts the server anew.
func TestCrash(t *testing.T) {
	t.Parallel()
	c := mustOpenWith(t, "CREATE TABLE t AS SELECT 1 AS id", func(c *cells.Config) { c.Recycle = cells.Auto })
	for range 3 { // so that cells are ready
		l := mustTake(t, c)
		mustRun(t, l, "INSERT INTO t VALUES (2)")
		if err := l.Return(); err != nil {
			t.Fatal(err)
		}
		if err := c.Quiet(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	mustCrash(t, c)
	for range 5 {
		l := mustTake(t, c) // waits until the server has recovered
		if n := count(t, l, "t"); n != 1 {
			t.Errorf("a %s cell has %d rows, want 1", l.Made(), n)
		}
		if err := l.Return(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCrashInATest has the server crash under the first test of a cell, which goes on with a new connection and passes.
func TestCrashInATest(t *testing.T) {
	t.Parallel()
	c := mustOpenWith(t, "CREATE TABLE t (id int)", func(c *cells.Config) { c.Recycle, c.Ahead = cells.Auto, cells.AheadOff })
	mustUse(t, c, func(l *cells.Lease) {
		mustRun(t, l, "SET synchronous_commit = on; INSERT INTO t VALUES (1)")
		mustCrash(t, c)
		if !eventually(func() bool { return l.Pool().Ping(t.Context()) == nil }) {
			t.Fatal("the pool does not connect again")
		}
		if n := count(t, l, "t"); n != 1 {
			t.Fatalf("%d rows survived the crash, want 1", n)
		}
	})
	mustUse(t, c, func(l *cells.Lease) {
		if n := count(t, l, "t"); n != 0 {
			t.Errorf("after it, a %s cell has %d rows, want 0", l.Made(), n)
		}
	})
}

// TestCrashOfUnloggedTemplate asks for a cell after a crash has emptied a table of the template.
func TestCrashOfUnloggedTemplate(t *testing.T) {
	t.Parallel()
	c := mustOpenWith(t, "CREATE UNLOGGED TABLE t AS SELECT 1 AS id", func(c *cells.Config) { c.Recycle = cells.Auto })
	l := mustTake(t, c)
	if err := l.Return(); err != nil {
		t.Fatal(err)
	}
	if err := c.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustCrash(t, c)
	_, err := c.Take(t.Context(), cells.Request{Test: t.Name()})
	want := "take a cell: the server has crashed and emptied the template's unlogged tables; see its log, and run the tests again"
	if err == nil || err.Error() != want {
		t.Errorf("Take = %v, want %s", err, want)
	}
}

// mustCrash has a backend killed by signal 9, by a session of its own.
func mustCrash(t *testing.T, c *cells.Cluster) {
	t.Helper()
	ctx := context.Background()
	witness, err := c.Server().Connect(ctx, cells.AdminRole, cells.AdminDatabase)
	if err != nil {
		t.Fatal(err)
	}
	defer witness.Close(ctx)
	if _, err := c.Admin().Exec(ctx, "COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID'"); err == nil {
		t.Fatal("the backend lives on")
	}
	if !eventually(func() bool { return witness.Ping(ctx) != nil }) {
		t.Fatal("other sessions live on")
	}
	anew := func() bool { // a new connection, since some processes take longer to end
		conn, err := c.Server().Connect(ctx, cells.AdminRole, cells.AdminDatabase)
		if err != nil {
			return false
		}
		return conn.Close(ctx) == nil
	}
	if !eventually(anew) {
		t.Fatal("the server does not start anew")
	}
}

func eventually(so func() bool) bool {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if so() {
			return true
		}
	}
	return so()
}
