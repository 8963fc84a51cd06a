// Package smoke_test is a small suite of a user: each test has a database of its own, made by migrations and seeds.
package smoke_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pgcell/pgcell/tools/pgcell"
)

func TestSendMovesMoney(t *testing.T) {
	t.Parallel()
	pool := open(t)
	mustExec(t, pool, "SELECT send('ann@example.com', 'bob@example.com', 30)")
	ensureBalance(t, pool, "ann@example.com", "70.00")
	ensureBalance(t, pool, "bob@example.com", "30.00")
}

func TestSendRefusesAnOverdraft(t *testing.T) {
	t.Parallel()
	pool := open(t)
	if _, err := pool.Exec(context.Background(), "SELECT send('bob@example.com', 'ann@example.com', 1)"); err == nil {
		t.Error("bob, who has nothing, could send 1")
	}
	ensureBalance(t, pool, "ann@example.com", "100.00")
}

// The two tests below empty the same table: either would break all others if they shared a database.
func TestAccountsCanBeClosed(t *testing.T) {
	t.Parallel()
	pool := open(t)
	mustExec(t, pool, "DELETE FROM account")
	ensureAccounts(t, pool, 0)
}

func TestAccountsCanBeTruncated(t *testing.T) {
	t.Parallel()
	pool := open(t)
	ensureAccounts(t, pool, 2)
	mustExec(t, pool, "TRUNCATE account CASCADE")
	ensureAccounts(t, pool, 0)
}

func open(t *testing.T) *pgxpool.Pool {
	t.Helper()
	cell := pgcell.New(t)
	t.Log("cell", cell.Name())
	return cell.Pool()
}

func mustExec(t *testing.T, pool *pgxpool.Pool, sql string) {
	t.Helper()
	if _, err := pool.Exec(context.Background(), sql); err != nil {
		t.Fatal(err)
	}
}

func ensureBalance(t *testing.T, pool *pgxpool.Pool, email, want string) {
	t.Helper()
	var got string
	err := pool.QueryRow(context.Background(), "SELECT balance::text FROM account WHERE email = $1", email).Scan(&got)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("balance of %s = %s, want %s", email, got, want)
	}
}

func ensureAccounts(t *testing.T, pool *pgxpool.Pool, want int) {
	t.Helper()
	var got int
	if err := pool.QueryRow(context.Background(), "SELECT count(*) FROM account").Scan(&got); err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("count of accounts = %d, want %d", got, want)
	}
}
