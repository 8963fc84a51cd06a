package transactions_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// A read-only transaction refuses every write (25006), though temporary tables may be written.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	a, _ := twoSessions(t)
	check.Exec(t, a, `CREATE TEMP TABLE scratch (n int); BEGIN READ ONLY; INSERT INTO scratch VALUES (1)`)
	check.Fails(t, a, "25006", `UPDATE accounts SET balance = 0`)
	check.Exec(t, a, `ROLLBACK; SET default_transaction_read_only = on`)
	check.Fails(t, a, "25006", `CREATE TABLE users (id int)`)
	check.Exec(t, a, `BEGIN READ WRITE; UPDATE accounts SET balance = 5; COMMIT`)
	check.Value(t, a, 5, balanceOfAnn)
}

// The level and the kind of a transaction are fixed by its first query.
func TestSetTransactionComesFirst(t *testing.T) {
	t.Parallel()
	a, _ := twoSessions(t)
	check.Exec(t, a, `BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT 1 FROM accounts`)
	check.Value(t, a, "serializable", `SHOW transaction_isolation`)
	check.Fails(t, a, "25001", `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`)
	check.Exec(t, a, `ROLLBACK`)
	check.Value(t, a, "read committed", `SHOW transaction_isolation`)
}

// statement_timeout ends a statement that takes too long (57014), and the session lives on.
func TestStatementTimeout(t *testing.T) {
	t.Parallel()
	a, _ := twoSessions(t)
	check.Exec(t, a, `SET statement_timeout = '20ms'`)
	check.Fails(t, a, "57014", `SELECT pg_sleep(30)`)
	check.Value(t, a, 1, `SELECT 1`)
	check.Exec(t, a, `BEGIN; SET LOCAL statement_timeout = 0; SELECT pg_sleep(0.03); COMMIT`)
	check.Value(t, a, "20ms", `SHOW statement_timeout`)
}

// idle_in_transaction_session_timeout ends a session that sits in an open transaction, and frees what it had locked.
func TestIdleInTransactionTimeout(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	check.Exec(t, a, `SET idle_in_transaction_session_timeout = '20ms'; BEGIN; UPDATE accounts SET balance = 0`)
	check.Exec(t, b, `UPDATE accounts SET balance = 7`) // waits until the other session is gone
	check.Value(t, b, 7, balanceOfAnn)
	_, err := a.Exec(t.Context(), `COMMIT`)
	if err == nil {
		t.Error("commit of the session that was ended: got no error, want one")
	}
}

// A context that ends cancels the statement on the server, not only the wait for it.
func TestContextCancelsStatement(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	conn, watcher := check.Conn(t, cell.Config()), check.Conn(t, cell.Config())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err := conn.Exec(ctx, `SELECT pg_sleep(60)`)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("statement with a context that ended: got error %v, want %v", err, context.DeadlineExceeded)
	}
	check.Until(t, "no statement sleeps on the server", func() bool {
		return check.One[int](t, watcher, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
			AND state = 'active' AND query = 'SELECT pg_sleep(60)'`) == 0
	})
}

// pg_cancel_backend stops another session's statement; its transaction is then failed, not gone.
func TestCancelBackend(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	check.Exec(t, a, `BEGIN; LOCK TABLE accounts`)
	waiting := inBackground(t, b, `SELECT * FROM accounts`)
	check.Value(t, a, true, `SELECT pg_cancel_backend($1)`, b.PgConn().PID())
	check.Code(t, "the statement", <-waiting, "57014")
}

// A prepared transaction outlives its session and a restart of the server, and waits for COMMIT PREPARED from
// anybody.
func TestPreparedTransactionOutlivesRestart(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t, pgcell.ServerConfig{Settings: map[string]string{"max_prepared_transactions": "5"}})
	conn := check.Conn(t, server.Config())
	check.Exec(t, conn, accounts)
	check.Exec(t, conn, `BEGIN; UPDATE accounts SET balance = 1 WHERE name = 'ann'; PREPARE TRANSACTION 'transfer 1'`)
	check.Value(t, conn, 100, balanceOfAnn)
	if err := server.Restart(t.Context()); err != nil {
		t.Fatalf("restart: got error %v, want none", err)
	}
	after := check.Conn(t, server.Config())
	check.Values(t, after, []string{"transfer 1"}, `SELECT gid FROM pg_prepared_xacts`)
	// its locks are kept too
	check.Fails(t, after, "55P03", `SELECT * FROM accounts WHERE name = 'ann' FOR UPDATE NOWAIT`)
	check.Exec(t, after, `COMMIT PREPARED 'transfer 1'`)
	check.Value(t, after, 1, balanceOfAnn)
}

// Two-phase commit over two databases: both prepare, and only when both have done so both commit.
func TestTwoPhaseCommit(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t, pgcell.ServerConfig{Settings: map[string]string{"max_prepared_transactions": "5"}})
	check.Exec(t, server.Pool(), `CREATE DATABASE bank_a`)
	check.Exec(t, server.Pool(), `CREATE DATABASE bank_b`)
	banks := map[string]*pgx.Conn{}
	for _, name := range []string{"bank_a", "bank_b"} {
		config := server.Config()
		config.Database = name
		banks[name] = check.Conn(t, config)
		check.Exec(t, banks[name],
			`CREATE TABLE accounts (balance int CHECK (balance >= 0)); INSERT INTO accounts VALUES (100)`)
	}
	transfer := func(amount int) (first, second error) {
		_, first = banks["bank_a"].Exec(t.Context(),
			`BEGIN; UPDATE accounts SET balance = balance - `+strconv.Itoa(amount)+
				`; PREPARE TRANSACTION 'give'`)
		_, second = banks["bank_b"].Exec(t.Context(),
			`BEGIN; UPDATE accounts SET balance = balance + `+strconv.Itoa(amount)+
				`; PREPARE TRANSACTION 'take'`)
		return first, second
	}
	first, second := transfer(60)
	if first != nil || second != nil {
		t.Fatalf("prepare: got errors %v and %v, want none", first, second)
	}
	check.Exec(t, banks["bank_a"], `COMMIT PREPARED 'give'`)
	check.Exec(t, banks["bank_b"], `COMMIT PREPARED 'take'`)

	first, _ = transfer(60) // more than there is: the other side must not keep what it prepared
	check.Code(t, "prepare of the payer", first, "23514")
	check.Exec(t, banks["bank_b"], `ROLLBACK PREPARED 'take'`)
	check.Exec(t, banks["bank_a"], `ROLLBACK`)
	check.Value(t, banks["bank_a"], 40, `SELECT balance FROM accounts`)
	check.Value(t, banks["bank_b"], 160, `SELECT balance FROM accounts`)
}

// Where max_prepared_transactions is 0, the default and that of cells, PREPARE TRANSACTION says so.
func TestPreparedTransactionsAreOff(t *testing.T) {
	t.Parallel()
	a, _ := twoSessions(t)
	check.Exec(t, a, `BEGIN; UPDATE accounts SET balance = 0`)
	check.Fails(t, a, "55000", `PREPARE TRANSACTION 'x'`)
	check.Value(t, a, 100, balanceOfAnn) // and the transaction was rolled back
}
