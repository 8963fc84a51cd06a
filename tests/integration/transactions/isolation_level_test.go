// Package transactions_test shows what transactions promise and what they do not: each isolation level with the
// anomalies that it lets through, locks of all kinds and the deadlocks that they bring, and the errors that a
// program must expect and retry.
//
// Two or three sessions play against each other in one cell, step by step, so every test comes out the same way
// each time.
package transactions_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// accounts is the table that most tests here start from; "orders" and "users" of other suites would do as well.
const accounts = `CREATE TABLE accounts (name text PRIMARY KEY, balance int NOT NULL);
	INSERT INTO accounts VALUES ('ann', 100), ('bob', 100)`

// twoSessions gives two connections to one new cell with the table accounts.
func twoSessions(t *testing.T) (a, b *pgx.Conn) {
	t.Helper()
	cell := pgcell.New(t)
	a, b = check.Conn(t, cell.Config()), check.Conn(t, cell.Config())
	check.Exec(t, a, accounts)
	return a, b
}

// begin starts a transaction at an isolation level and takes its snapshot, which otherwise waits for the first query.
func begin(t *testing.T, conn *pgx.Conn, level pgx.TxIsoLevel) {
	t.Helper()
	check.Exec(t, conn, `BEGIN ISOLATION LEVEL `+string(level)+`; SELECT 1 FROM accounts`)
}

const balanceOfAnn = `SELECT balance FROM accounts WHERE name = 'ann'`

// What a transaction has not committed nobody else sees, not even at READ UNCOMMITTED, which PostgreSQL treats as
// READ COMMITTED.
func TestNoDirtyReads(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	begin(t, b, pgx.ReadUncommitted)
	check.Exec(t, a, `BEGIN; UPDATE accounts SET balance = 0 WHERE name = 'ann'`)
	check.Value(t, b, 100, balanceOfAnn)
	check.Exec(t, a, `ROLLBACK`)
	check.Value(t, b, 100, balanceOfAnn)
}

// READ COMMITTED looks anew for each statement: the same query twice may give two answers.
func TestNonRepeatableReadAtReadCommitted(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	begin(t, b, pgx.ReadCommitted)
	check.Value(t, b, 100, balanceOfAnn)
	check.Exec(t, a, `UPDATE accounts SET balance = 50 WHERE name = 'ann'; INSERT INTO accounts VALUES ('cy', 7)`)
	check.Value(t, b, 50, balanceOfAnn)
	check.Value(t, b, 3, `SELECT count(*) FROM accounts`)
}

// REPEATABLE READ sees the database as it was at its first query, without new rows ("phantoms") as well.
func TestSnapshotAtRepeatableRead(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	begin(t, b, pgx.RepeatableRead)
	check.Exec(t, a, `UPDATE accounts SET balance = 50 WHERE name = 'ann'; INSERT INTO accounts VALUES ('cy', 7)`)
	check.Value(t, b, 100, balanceOfAnn)
	check.Value(t, b, 2, `SELECT count(*) FROM accounts`)
	check.Exec(t, b, `COMMIT`)
	check.Value(t, b, 3, `SELECT count(*) FROM accounts`)
}

// Read, compute in the program, write: at READ COMMITTED the second writer silently undoes the first one's work.
func TestLostUpdateAtReadCommitted(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	begin(t, a, pgx.ReadCommitted)
	begin(t, b, pgx.ReadCommitted)
	seenByA, seenByB := check.One[int](t, a, balanceOfAnn), check.One[int](t, b, balanceOfAnn)
	check.Exec(t, a, `UPDATE accounts SET balance = $1 WHERE name = 'ann'`, seenByA+10)
	check.Exec(t, a, `COMMIT`)
	check.Exec(t, b, `UPDATE accounts SET balance = $1 WHERE name = 'ann'`, seenByB+1)
	check.Exec(t, b, `COMMIT`)
	check.Value(t, a, 101, balanceOfAnn) // and not 111
}

// At REPEATABLE READ the second writer is told (40001) in place of losing an update.
func TestLostUpdateIsRefusedAtRepeatableRead(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	begin(t, b, pgx.RepeatableRead)
	check.Exec(t, a, `UPDATE accounts SET balance = balance + 10 WHERE name = 'ann'`)
	check.Fails(t, b, "40001", `UPDATE accounts SET balance = balance + 1 WHERE name = 'ann'`)
	check.Exec(t, b, `ROLLBACK`)
	check.Value(t, b, 110, balanceOfAnn)
}

// A write that depends on what the row holds is safe at READ COMMITTED if the statement itself reads it.
func TestAtomicUpdateAtReadCommitted(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	check.Exec(t, a, `BEGIN; UPDATE accounts SET balance = balance + 10 WHERE name = 'ann'`)
	second := inBackground(t, b, `UPDATE accounts SET balance = balance + 1 WHERE name = 'ann'`)
	check.Exec(t, a, `COMMIT`)
	if err := <-second; err != nil {
		t.Fatalf("second update: got error %v, want none", err)
	}
	check.Value(t, a, 111, balanceOfAnn)
}

// writeSkew has both sessions check that ann and bob together have enough, and then draw from one account each.
func writeSkew(t *testing.T, level pgx.TxIsoLevel) (total int, second error) {
	t.Helper()
	a, b := twoSessions(t)
	begin(t, a, level)
	begin(t, b, level)
	for _, conn := range []*pgx.Conn{a, b} {
		check.Value(t, conn, 200, `SELECT sum(balance) FROM accounts`)
	}
	check.Exec(t, a, `UPDATE accounts SET balance = balance - 150 WHERE name = 'ann'`)
	check.Exec(t, a, `COMMIT`)
	_, second = b.Exec(t.Context(), `UPDATE accounts SET balance = balance - 150 WHERE name = 'bob'; COMMIT`)
	_, _ = b.Exec(t.Context(), `ROLLBACK`)
	return check.One[int](t, a, `SELECT sum(balance) FROM accounts`), second
}

// Write skew: two transactions read the same rows and write different ones. REPEATABLE READ lets both through.
func TestWriteSkewAtRepeatableRead(t *testing.T) {
	t.Parallel()
	total, err := writeSkew(t, pgx.RepeatableRead)
	if err != nil {
		t.Errorf("second transaction: got error %v, want none at this level", err)
	}
	check.Equal(t, "sum of both accounts, overdrawn", total, -100)
}

// SERIALIZABLE finds out that no order of the two explains what both saw, and ends one with 40001.
func TestWriteSkewIsRefusedAtSerializable(t *testing.T) {
	t.Parallel()
	total, err := writeSkew(t, pgx.Serializable)
	check.Code(t, "second transaction", err, "40001")
	check.Equal(t, "sum of both accounts", total, 50)
}

// A read-only report beside two serializable writers can be the one that would see the impossible; DEFERRABLE
// waits for a safe moment.
func TestSerializableReadOnlyDeferrable(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	begin(t, a, pgx.Serializable)
	check.Exec(t, a, `UPDATE accounts SET balance = 0 WHERE name = 'ann'`)
	report := inBackground(t, b,
		`BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE; SELECT sum(balance) FROM accounts`)
	check.Exec(t, a, `COMMIT`)
	if err := <-report; err != nil {
		t.Fatalf("report: got error %v, want none", err)
	}
	check.Exec(t, b, `COMMIT`)
}

// A snapshot can be exported: another session sees the very same state, as parallel dumps need.
func TestExportedSnapshot(t *testing.T) {
	t.Parallel()
	a, b := twoSessions(t)
	begin(t, a, pgx.RepeatableRead)
	snapshot := check.One[string](t, a, `SELECT pg_export_snapshot()`)
	check.Exec(t, b, `DELETE FROM accounts`)
	check.Exec(t, b, `BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '`+snapshot+`'`)
	check.Value(t, b, 2, `SELECT count(*) FROM accounts`)
	check.Exec(t, b, `COMMIT`)
	check.Value(t, b, 0, `SELECT count(*) FROM accounts`)
}
