package transactions_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// Two sessions that lock two rows in opposite order deadlock: PostgreSQL ends one of them with 40P01, and the other
// goes on. A server of its own looks for deadlocks after 10 ms; a cell has the default of 1 s, which a superuser
// alone may change.
func TestDeadlock(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t, pgcell.ServerConfig{Settings: map[string]string{"deadlock_timeout": "10ms"}})
	a, b := check.Conn(t, server.Config()), check.Conn(t, server.Config())
	check.Exec(t, a, accounts)
	check.Exec(t, a, `BEGIN; UPDATE accounts SET balance = 1 WHERE name = 'ann'`)
	check.Exec(t, b, `BEGIN; UPDATE accounts SET balance = 2 WHERE name = 'bob'`)
	first := inBackground(t, a, `UPDATE accounts SET balance = 1 WHERE name = 'bob'`)
	_, errB := b.Exec(t.Context(), `UPDATE accounts SET balance = 2 WHERE name = 'ann'`)
	if errB == nil { // a was the victim
		check.Code(t, "first session", <-first, "40P01")
		check.Exec(t, a, `ROLLBACK`)
		check.Exec(t, b, `COMMIT`)
		check.Values(t, a, []int{2, 2}, `SELECT balance FROM accounts`)
		return
	}
	check.Code(t, "second session", errB, "40P01")
	check.Exec(t, b, `ROLLBACK`)
	if err := <-first; err != nil {
		t.Fatalf("first session after the deadlock: got error %v, want none", err)
	}
	check.Exec(t, a, `COMMIT`)
	check.Values(t, b, []int{1, 1}, `SELECT balance FROM accounts`)
}

// Locking the rows in one order for all, here by name, is what avoids deadlocks.
func TestOrderedLocksDoNotDeadlock(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	lock := `SELECT 1 FROM accounts WHERE name = ANY($1) ORDER BY name FOR UPDATE`
	check.Exec(t, a, `BEGIN`)
	check.Exec(t, b, `BEGIN`)
	check.Exec(t, a, lock, []string{"ann", "bob"})
	second := inBackground(t, b, lock, []string{"bob", "ann"})
	check.Exec(t, a, `COMMIT`)
	if err := <-second; err != nil {
		t.Fatalf("second session: got error %v, want none", err)
	}
	check.Exec(t, b, `COMMIT`)
}

// NOWAIT turns a wait for a row's or a table's lock into the error 55P03.
func TestNoWait(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	check.Exec(t, a, `BEGIN; SELECT * FROM accounts WHERE name = 'ann' FOR UPDATE`)
	check.Fails(t, b, "55P03", `SELECT * FROM accounts WHERE name = 'ann' FOR UPDATE NOWAIT`)
	check.Fails(t, b, "55P03", `BEGIN; LOCK TABLE accounts IN EXCLUSIVE MODE NOWAIT`)
	check.Exec(t, b, `ROLLBACK`)
	check.Value(t, b, "bob", `SELECT name FROM accounts WHERE name = 'bob' FOR UPDATE NOWAIT`)
}

// Row locks come in four strengths; the weaker ones let others of their kind share the row.
func TestRowLockStrengths(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	for _, test := range []struct {
		held, wanted string
		shared       bool
	}{
		{"KEY SHARE", "NO KEY UPDATE", true}, {"KEY SHARE", "UPDATE", false},
		{"SHARE", "SHARE", true}, {"SHARE", "NO KEY UPDATE", false},
		{"NO KEY UPDATE", "KEY SHARE", true}, {"UPDATE", "KEY SHARE", false},
	} {
		check.Exec(t, a, `BEGIN; SELECT * FROM accounts FOR `+test.held)
		_, err := b.Exec(t.Context(), `SELECT * FROM accounts FOR `+test.wanted+` NOWAIT`)
		check.Equal(t, "FOR "+test.wanted+" beside FOR "+test.held+" goes through", err == nil, test.shared)
		check.Exec(t, a, `ROLLBACK`)
	}
}

// A job queue in one table: FOR UPDATE SKIP LOCKED hands each job to exactly one worker, and no worker waits for
// another.
func TestSkipLockedQueue(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	const jobs, workers = 60, 3
	check.Exec(t, db, `CREATE TABLE orders (id int PRIMARY KEY)`)
	check.Exec(t, db, `INSERT INTO orders SELECT generate_series(1, $1)`, jobs)
	var mu sync.Mutex
	var done []int
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				var id int
				err := db.QueryRow(t.Context(), `DELETE FROM orders WHERE id = (
					SELECT id FROM orders ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING id`).Scan(&id)
				if err != nil {
					return // no rows: nothing is left that nobody has
				}
				mu.Lock()
				done = append(done, id)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.Sort(done)
	check.Equal(t, "jobs done", len(done), jobs)
	check.Equal(t, "each once", len(slices.Compact(done)), jobs)
}

// A worker that dies with a job in hand gives it back: its transaction ends, and the next one takes the job.
func TestSkipLockedGivesJobBack(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	take := `SELECT name FROM accounts ORDER BY name FOR UPDATE SKIP LOCKED LIMIT 1`
	check.Exec(t, a, `BEGIN`)
	check.Value(t, a, "ann", take)
	check.Value(t, b, "bob", take)
	if err := a.Close(t.Context()); err != nil {
		t.Fatalf("close: got error %v, want none", err)
	}
	check.Until(t, "the job of the dead worker is free",
		func() bool { return check.One[string](t, b, take) == "ann" })
}

// An advisory lock is a number that the program gives a meaning; a session may hold it many times, and must give
// each back.
func TestAdvisoryLocks(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	check.Exec(t, a, `SELECT pg_advisory_lock(42); SELECT pg_advisory_lock(42)`)
	check.Value(t, b, false, `SELECT pg_try_advisory_lock(42)`)
	check.Value(t, b, true, `SELECT pg_try_advisory_lock(43)`)
	check.Value(t, b, true, `SELECT pg_try_advisory_lock(0, 42)`) // a pair of numbers is another space
	check.Value(t, a, true, `SELECT pg_advisory_unlock(42)`)
	check.Value(t, b, false, `SELECT pg_try_advisory_lock(42)`)
	check.Exec(t, a, `SELECT pg_advisory_unlock_all()`)
	check.Value(t, b, true, `SELECT pg_try_advisory_lock(42)`)
	check.Value(t, a, false, `SELECT pg_advisory_unlock(42)`) // not held: a warning, and false
}

// Advisory locks of a transaction end with it; shared ones admit each other.
func TestAdvisoryTransactionLocks(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	check.Exec(t, a, `BEGIN; SELECT pg_advisory_xact_lock_shared(7)`)
	check.Value(t, b, true, `SELECT pg_try_advisory_xact_lock_shared(7)`)
	check.Value(t, b, false, `SELECT pg_try_advisory_xact_lock(7)`)
	waiting := inBackground(t, b, `SELECT pg_advisory_xact_lock(7)`)
	check.Exec(t, a, `ROLLBACK`)
	if err := <-waiting; err != nil {
		t.Errorf("exclusive lock after the shared one went: got error %v, want none", err)
	}
}

// ALTER TABLE needs the table for itself: it waits for a reader's transaction, and lock_timeout bounds the wait.
func TestLockTimeout(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	check.Exec(t, a, `BEGIN; SELECT * FROM accounts`)
	check.Exec(t, b, `SET lock_timeout = '20ms'`)
	check.Fails(t, b, "55P03", `ALTER TABLE accounts ADD COLUMN note text`)
	check.Exec(t, a, `COMMIT`)
	check.Exec(t, b, `SET lock_timeout = 0; ALTER TABLE accounts ADD COLUMN note text`)
}

// pg_blocking_pids says who is in the way.
func TestBlockingPids(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	watcher := check.Conn(t, a.Config())
	check.Exec(t, a, `BEGIN; LOCK TABLE accounts`)
	waiting := inBackground(t, b, `SELECT * FROM accounts`)
	check.Value(t, watcher, []int32{int32(a.PgConn().PID())}, `SELECT pg_blocking_pids($1)`, b.PgConn().PID())
	// Ending the one in the way lets the other through: a role may end its own sessions.
	check.Value(t, watcher, true, `SELECT pg_terminate_backend($1)`, a.PgConn().PID())
	if err := <-waiting; err != nil {
		t.Errorf("query after the lock went: got error %v, want none", err)
	}
	_, err := a.Exec(t.Context(), `COMMIT`)
	var pgErr *pgconn.PgError
	if err == nil || (errors.As(err, &pgErr) && pgErr.Code != "57P01") {
		t.Errorf("commit of a session that was ended: got error %v, want 57P01 or a broken connection", err)
	}
}
