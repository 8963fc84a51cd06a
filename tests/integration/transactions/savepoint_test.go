package transactions_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// After an error a transaction takes no more statements (25P02) until it is rolled back; COMMIT then rolls back too.
func TestFailedTransaction(t *testing.T) {
	t.Parallel()
	a, _ := twoSessions(t)
	check.Exec(t, a, `BEGIN; UPDATE accounts SET balance = 0`)
	check.Fails(t, a, "22012", `SELECT 1 / 0`)
	check.Fails(t, a, "25P02", `SELECT 1`)
	tag, err := a.Exec(t.Context(), `COMMIT`)
	if err != nil {
		t.Fatalf("commit: got error %v, want none", err)
	}
	check.Equal(t, "answer to COMMIT", tag.String(), "ROLLBACK")
	check.Value(t, a, 100, balanceOfAnn)
}

// A savepoint is a place to come back to within the transaction, after an error as well.
func TestSavepoint(t *testing.T) {
	t.Parallel()
	a, _ := twoSessions(t)
	check.Exec(t, a, `BEGIN; UPDATE accounts SET balance = 1 WHERE name = 'ann'; SAVEPOINT before_bob`)
	check.Fails(t, a, "22012", `UPDATE accounts SET balance = 1 / 0 WHERE name = 'bob'`)
	check.Exec(t, a, `ROLLBACK TO before_bob; UPDATE accounts SET balance = 2 WHERE name = 'bob'; COMMIT`)
	check.Values(t, a, []int{1, 2}, `SELECT balance FROM accounts ORDER BY name`)
}

// Savepoints nest; RELEASE forgets one and keeps what was done, and a name used twice means the newer one.
func TestNestedSavepoints(t *testing.T) {
	t.Parallel()
	a, _ := twoSessions(t)
	check.Exec(t, a, `BEGIN; SAVEPOINT s; INSERT INTO accounts VALUES ('c', 1);
		SAVEPOINT s; INSERT INTO accounts VALUES ('d', 1); ROLLBACK TO s; RELEASE s; ROLLBACK TO s`)
	check.Value(t, a, 2, `SELECT count(*) FROM accounts`)
	check.Exec(t, a, `INSERT INTO accounts VALUES ('e', 1); RELEASE s`)
	check.Fails(t, a, "3B001", `ROLLBACK TO s`)
	check.Exec(t, a, `ROLLBACK`)
}

// pgx's nested Begin is a savepoint: an inner failure leaves the outer transaction whole.
func TestNestedBegin(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, accounts)
	failed := errors.New("changed my mind")
	err := pgx.BeginFunc(t.Context(), db, func(outer pgx.Tx) error {
		check.Exec(t, outer, `INSERT INTO accounts VALUES ('outer', 1)`)
		err := pgx.BeginFunc(t.Context(), outer, func(inner pgx.Tx) error {
			check.Exec(t, inner, `INSERT INTO accounts VALUES ('inner', 1)`)
			return failed
		})
		if !errors.Is(err, failed) {
			t.Errorf("inner transaction: got error %v, want %v", err, failed)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("outer transaction: got error %v, want none", err)
	}
	check.Values(t, db, []string{"ann", "bob", "outer"}, `SELECT name FROM accounts ORDER BY name`)
}

// withRetry runs work in a serializable transaction, again and again as long as PostgreSQL asks for it with 40001
// or 40P01.
func withRetry(ctx context.Context, db interface {
	BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error)
}, work func(pgx.Tx) error) (tries int, err error) {
	for tries = 1; ; tries++ {
		err = pgx.BeginTxFunc(ctx, db, pgx.TxOptions{IsoLevel: pgx.Serializable}, work)
		var pgErr interface{ SQLState() string }
		if !errors.As(err, &pgErr) || (pgErr.SQLState() != "40001" && pgErr.SQLState() != "40P01") {
			return tries, err
		}
	}
}

// A program at SERIALIZABLE needs a loop that tries again: then even read-compute-write is safe.
func TestSerializationRetry(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, accounts)
	const workers, rounds = 3, 5
	results := make(chan int, workers*rounds)
	for range workers {
		go func() {
			for range rounds {
				tries, err := withRetry(t.Context(), db, func(tx pgx.Tx) error {
					var balance int
					if err := tx.QueryRow(t.Context(), balanceOfAnn).Scan(&balance); err != nil {
						return err
					}
					_, err := tx.Exec(t.Context(), `UPDATE accounts SET balance = $1 WHERE name = 'ann'`, balance+1)
					return err
				})
				if err != nil {
					t.Errorf("transfer after %d tries: got error %v, want none", tries, err)
				}
				results <- tries
			}
		}()
	}
	tries := 0
	for range workers * rounds {
		tries += <-results
	}
	t.Logf("%d transactions took %d tries", workers*rounds, tries)
	check.Value(t, db, 100+workers*rounds, balanceOfAnn)
}

// The first try is made to collide, so that the loop's second one is seen to succeed.
func TestSerializationRetrySecondTry(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	first := true
	tries, err := withRetry(t.Context(), a, func(tx pgx.Tx) error {
		check.Exec(t, tx, balanceOfAnn)
		if first {
			first = false
			check.Exec(t, b, `UPDATE accounts SET balance = 500 WHERE name = 'ann'`)
		}
		_, err := tx.Exec(t.Context(), `UPDATE accounts SET balance = balance + 1 WHERE name = 'ann'`)
		return err
	})
	if err != nil || tries != 2 {
		t.Errorf("retry loop: got %d tries and error %v, want 2 and none", tries, err)
	}
	check.Value(t, b, 501, balanceOfAnn)
}
