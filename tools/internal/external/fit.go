package external

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// UnfitError says that a server, or its role, cannot be used, and what to do.
type UnfitError struct{ Reason, Remedy string }

func (e *UnfitError) Error() string { return e.Reason + "; " + e.Remedy }

// oldest is the server_version_num of the oldest server with DROP DATABASE ... WITH (FORCE).
const oldest = 130000

// check looks whether the server and the role can serve.
func check(ctx context.Context, conn *pgx.Conn, base *pgx.ConnConfig) (version int, err error) {
	if err := checkPooler(ctx, conn, base); err != nil {
		return 0, err
	}
	var role string
	var may, standby bool
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), current_user::text,
(SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user)`).Scan(&version, &standby, &role, &may)
	switch {
	case err != nil:
		return 0, err
	case version < oldest:
		return 0, &UnfitError{
			fmt.Sprintf("it is PostgreSQL %d.%d", version/10000, version%10000), "PostgreSQL 13 is the oldest that can be used",
		}
	case standby:
		return 0, &UnfitError{"it is a standby, which makes no databases", "give the URL of its primary"}
	case !may:
		return 0, &UnfitError{
			fmt.Sprintf("role %q may not create databases", role),
			fmt.Sprintf("run ALTER ROLE %s CREATEDB as a superuser; pgcell needs no other right", quote(role)),
		}
	}
	return version, nil
}

// transactions is why a pooler in transaction mode will not do.
var transactions = &UnfitError{
	"the URL leads to a connection pooler that gives each transaction another session, as PgBouncer does with pool_mode = transaction: " +
		"locks that a process holds for as long as it lives, and SET, PREPARE and LISTEN of tests, do not work there",
	"give the URL of the server itself, or of a pooler in session mode",
}

// probes is how many connections checkPooler opens at most: a pooler that has that many idle ones would pass. It hands
// out the one used last, as far as is known.
const probes = 4

// checkPooler refuses poolers that give a session to one client after the other. A server tells its own process id when
// a client connects; a pooler tells another number. With a pooler, another client gets this one's session while this one
// is between transactions.
func checkPooler(ctx context.Context, conn *pgx.Conn, base *pgx.ConnConfig) error {
	first, err := backend(ctx, conn)
	if err != nil {
		return err
	}
	if first == conn.PgConn().PID() {
		return nil
	}
	for range probes {
		other, err := pgx.ConnectConfig(ctx, base)
		if err != nil {
			return err
		}
		defer other.Close(ctx)
		if _, err := other.Exec(ctx, "BEGIN"); err != nil {
			return fmt.Errorf("begin a transaction, as no pooler in statement mode lets one: %w", err)
		}
		second, err := backend(ctx, other)
		if err != nil {
			return err
		}
		again, err := backend(ctx, conn)
		if err != nil {
			return err
		}
		if second == first || again != first {
			return transactions
		}
	}
	return nil
}

func backend(ctx context.Context, conn *pgx.Conn) (pid uint32, err error) {
	var n int32
	err = conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&n)
	return uint32(n), err
}
