package pgcell

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// sharedKey names the one cell of a server whose tests roll back all that they do.
type sharedKey struct {
	server source
	empty  bool
}

type shared struct {
	once  sync.Once
	lease lease
	err   error
}

var sharedCells sync.Map // sharedKey to *shared

// Tx gives the test a transaction that is rolled back when the test ends, in a cell that all such tests of the process
// share. It is the cheapest isolation, for code that takes a transaction and does not commit. Commit rolls back, returns
// an error and fails the test, since other tests would see what it wrote. A rollback does not take everything back: the
// values of sequences, the results of ANALYZE, and the places of rows remain. The last may show in the order of rows
// without ORDER BY. Tests that write the same unique key wait for one another. Config.Pool is ignored.
//
// Cost: below 1 ms; the first call of a process costs as much as [New]. If the server has no connection left, the test
// waits, which is reported after 5 s.
func Tx(t TB, config ...Config) pgx.Tx {
	t.Helper()
	c := one(t, "pgcell.Tx", config)
	if c.Private {
		t.Fatalf("pgcell.Tx: Config.Private is set, but such tests share a cell; use pgcell.New")
	}
	r := record{Test: t.Name(), Worker: Worker(), WaitSeconds: enter(t).Seconds(), Start: time.Now(), Made: "shared"}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	server, err := process.server(ctx, c)
	if err != nil {
		t.Fatalf("pgcell.Tx: %v", err)
	}
	r.ServerSeconds = time.Since(r.Start).Seconds()
	key := sharedKey{server, c.Empty}
	s := sharedCell(ctx, key)
	if s.err != nil {
		t.Fatalf("pgcell.Tx: %v", s.err)
	}
	fullMemory := server.watch()
	conn, err := s.lease.Connect(ctx)
	if err != nil {
		t.Fatalf("pgcell.Tx: connect: %v", err)
	}
	begun, err := conn.Begin(ctx)
	if err != nil {
		s.lease.Disconnect(ctx, conn)
		t.Fatalf("pgcell.Tx: begin: %v", err)
	}
	tx := &rolledBack{Tx: begun}
	r.CellSeconds, r.Cell = time.Since(r.Start).Seconds(), s.lease.Name()
	t.Cleanup(func() {
		t.Helper()
		defer func() {
			r.Failed = t.Failed() || panicking()
			r.write(t)
		}()
		tell(t, fullMemory())
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		wrong := tx.end(ctx, t)
		s.lease.Disconnect(ctx, conn)
		if wrong == "" {
			return
		}
		sharedCells.CompareAndDelete(key, s) // what the test wrote may be there for ever
		t.Fatalf("pgcell.Tx: %s; use pgcell.New for code that commits", wrong)
	})
	return tx
}

// rolledBack is a transaction that is never committed.
type rolledBack struct {
	pgx.Tx
	closed, committed atomic.Bool
}

// Commit rolls back.
func (tx *rolledBack) Commit(ctx context.Context) error {
	tx.committed.Store(true)
	if err := tx.Rollback(ctx); err != nil {
		return err
	}
	return errors.New("a transaction of pgcell.Tx cannot be committed: use pgcell.New for code that commits")
}

func (tx *rolledBack) Rollback(ctx context.Context) error {
	tx.closed.Store(true)
	return tx.Tx.Rollback(ctx)
}

// end rolls back, and says what the test did that it must not.
func (tx *rolledBack) end(ctx context.Context, t TB) (wrong string) {
	t.Helper()
	switch {
	case tx.committed.Load():
		wrong = "the test has called Commit, which rolled its transaction back"
	case !tx.closed.Load() && tx.Conn().PgConn().TxStatus() == 'I':
		wrong = "the test has ended its transaction by a statement, and other tests may have seen what it wrote"
	}
	if err := tx.Tx.Rollback(ctx); err != nil && !errors.Is(err, pgx.ErrTxClosed) {
		t.Logf("pgcell.Tx: roll back: %v", err)
	}
	return wrong
}

// sharedCell is the shared cell. It lives as long as the server.
func sharedCell(ctx context.Context, key sharedKey) *shared {
	found, _ := sharedCells.LoadOrStore(key, &shared{})
	s := found.(*shared)
	s.once.Do(func() {
		s.lease, s.err = key.server.take(ctx, cells.Request{Test: "pgcell.Tx", Empty: key.empty, Shared: true})
	})
	return s
}
