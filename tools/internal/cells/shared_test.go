package cells_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/golden"
)

// TestShared holds each row of the table "What the cells of one process share" in docs/isolation.md: one test does
// something, and another sees it, or is hit by it. Rows about parameters of roles, databases that tests make and the
// horizon have tests of their own: TestParametersInBetween, TestStrayDatabases, TestHorizon.
func TestShared(t *testing.T) {
	t.Parallel()
	c := mustOpenMade(t, golden.Recipe{Roles: []string{"pgcell CREATEROLE CREATEDB"}}, func(c *cells.Config) {
		c.Recycle, c.Settings = cells.Never, map[string]string{"max_prepared_transactions": "4"}
	})
	for name, run := range map[string]struct {
		one   string // what the first test does
		other string // what the second asks for, in its own cell
		code  string // SQLSTATE of the error that it gets, or else
		want  string // the value
	}{
		"roles": {
			one: "CREATE ROLE app", other: "CREATE ROLE app", code: "42710"},
		"role's membership": {
			one: "CREATE ROLE reader; GRANT reader TO pgcell", other: "SELECT pg_has_role('pgcell', 'reader', 'member')::text", want: "true"},
		"names of databases": {
			one: "CREATE DATABASE app", other: "CREATE DATABASE app", code: "42P04"},
		"names of prepared transactions": {
			one: "BEGIN; CREATE TABLE x (); PREPARE TRANSACTION 'shared'", other: "BEGIN; CREATE TABLE x (); PREPARE TRANSACTION 'shared'", code: "42710"},
		"pg_prepared_xacts": {
			one: "BEGIN; CREATE TABLE y (); PREPARE TRANSACTION 'seen'", other: "SELECT count(*)::text FROM pg_prepared_xacts WHERE gid = 'seen'", want: "1"},
		"pg_stat_activity": {
			one: "SELECT 'of the other'", other: "SELECT count(*)::text FROM pg_stat_activity WHERE query = 'SELECT ''of the other'''", want: "1"},
		"pg_locks": {
			one: "SELECT pg_advisory_lock(4711)", other: "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711", want: "1"},
		"advisory locks are not shared": {
			one: "SELECT pg_advisory_lock(4712)", other: "SELECT pg_try_advisory_lock(4712)::text", want: "true"},
		"names of channels are not shared": {
			one: "LISTEN channel", other: "SELECT count(*)::text FROM pg_listening_channels()", want: "0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, other := mustTake(t, c), mustTake(t, c)
			defer one.Return()
			defer other.Return()
			conn := mustConnect(t, one)
			if _, err := conn.Exec(t.Context(), run.one); err != nil {
				t.Fatal(err)
			}
			results, err := mustConnect(t, other).PgConn().Exec(t.Context(), run.other).ReadAll()
			var pg *pgconn.PgError
			if run.code != "" {
				if !errors.As(err, &pg) || pg.Code != run.code {
					t.Errorf("%s: %v, want SQLSTATE %s", run.other, err, run.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := string(results[0].Rows[0][0]); got != run.want {
				t.Errorf("%s = %s, want %s", run.other, got, run.want)
			}
		})
	}
}

// TestTerminateByRole has a test end all sessions of its role, those of other tests included; but none of the superuser's.
func TestTerminateByRole(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Recycle = cells.Auto })
	one, other := mustTake(t, c), mustTake(t, c)
	defer one.Return()
	defer other.Return()
	victim := mustConnect(t, other)
	const all = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()"
	if _, err := mustConnect(t, one).Exec(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(2 * time.Minute)
	for victim.Ping(t.Context()) == nil && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if !victim.IsClosed() {
		t.Error("the other test's session lives on")
	}
	var pg *pgconn.PgError
	_, err := mustConnect(t, one).Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres' AND datname = 'postgres'")
	if !errors.As(err, &pg) || pg.Code != "42501" {
		t.Errorf("end the superuser's sessions: %v, want a refusal", err)
	}
	if n := count(t, other, "parent"); n != 0 {
		t.Errorf("%d rows in the other test's cell, want 0", n)
	}
}

// mustConnect connects by URL.
func mustConnect(t *testing.T, l *cells.Lease) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), l.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}
