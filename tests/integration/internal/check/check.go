// Package check holds the few assertions that the integration suites share, so that a test reads as the SQL that
// it is about.
//
// Goals: each function takes the test first and ends it on an error that the test did not ask for; a comparison says
// what was compared, what it got and what it wanted. It is no general assertion library: what one suite alone needs
// stays in that suite.
package check

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Patience is how long Until waits: far beyond any healthy wait, so that only a real hang reaches it.
const Patience = 20 * time.Second

// Querier is what a pgx connection, pool and transaction have in common.
type Querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Exec runs sql, which may hold several statements where it has no arguments, and returns how many rows the last one
// affected.
func Exec(t testing.TB, q Querier, sql string, args ...any) int64 {
	t.Helper()
	tag, err := q.Exec(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("exec %q: got error %v, want none", oneLine(sql), err)
	}
	return tag.RowsAffected()
}

// One returns the first column of the one row that sql gives; no row or two rows end the test.
func One[T any](t testing.TB, q Querier, sql string, args ...any) T {
	t.Helper()
	rows := Column[T](t, q, sql, args...)
	if len(rows) != 1 {
		t.Fatalf("query %q: got %d rows, want 1", oneLine(sql), len(rows))
	}
	return rows[0]
}

// Column returns the only column of every row that sql gives, in order; nil where there is no row.
func Column[T any](t testing.TB, q Querier, sql string, args ...any) []T {
	t.Helper()
	return collect(t, q, pgx.RowTo[T], sql, args)
}

// Structs returns every row that sql gives as a T, a struct whose fields take the columns by position.
func Structs[T any](t testing.TB, q Querier, sql string, args ...any) []T {
	t.Helper()
	return collect(t, q, pgx.RowToStructByPos[T], sql, args)
}

func collect[T any](t testing.TB, q Querier, row pgx.RowToFunc[T], sql string, args []any) []T {
	t.Helper()
	rows, err := q.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("query %q: got error %v, want none", oneLine(sql), err)
	}
	got, err := pgx.CollectRows(rows, row)
	if err != nil {
		t.Fatalf("query %q: got error %v, want none", oneLine(sql), err)
	}
	if len(got) == 0 {
		return nil
	}
	return got
}

// Equal reports a difference between got and want; what names the thing compared. Structures are shown as a diff.
func Equal[T any](t testing.TB, what string, got, want T, options ...cmp.Option) {
	t.Helper()
	// Addresses have no exported fields to look at, but == compares them.
	options = append(options, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}))
	diff := cmp.Diff(want, got, options...)
	if diff == "" {
		return
	}
	switch any(got).(type) {
	case string, bool, int, int16, int32, int64, uint32, float32, float64, time.Time, time.Duration:
		t.Errorf("%s: got %v, want %v", what, got, want)
	default:
		t.Errorf("%s: got %v, want %v; diff (-want +got):\n%s", what, got, want, diff)
	}
}

// Value wants sql to give one row whose first column is want.
func Value[T any](t testing.TB, q Querier, want T, sql string, args ...any) {
	t.Helper()
	Equal(t, oneLine(sql), One[T](t, q, sql, args...), want)
}

// Values wants the only column of the rows that sql gives, in order.
func Values[T any](t testing.TB, q Querier, want []T, sql string, args ...any) {
	t.Helper()
	Equal(t, oneLine(sql), Column[T](t, q, sql, args...), want)
}

// Rows wants the rows that sql gives, in order, each as a struct whose fields take the columns by position.
func Rows[T any](t testing.TB, q Querier, want []T, sql string, args ...any) {
	t.Helper()
	Equal(t, oneLine(sql), Structs[T](t, q, sql, args...), want)
}

// Fails runs sql and wants PostgreSQL's error with this SQLSTATE (see Code); the error is returned for a closer look.
func Fails(t testing.TB, q Querier, code, sql string, args ...any) *pgconn.PgError {
	t.Helper()
	_, err := q.Exec(t.Context(), sql, args...)
	return Code(t, oneLine(sql), err, code)
}

// Code wants err to be, or to wrap, PostgreSQL's error with this SQLSTATE (five characters, "23505"), and returns it.
func Code(t testing.TB, what string, err error, code string) *pgconn.PgError {
	t.Helper()
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		t.Fatalf("%s: got error %v, want SQLSTATE %s", what, err, code)
	}
	if pgErr.Code != code {
		t.Fatalf("%s: got SQLSTATE %s (%s), want %s", what, pgErr.Code, pgErr.Message, code)
	}
	return pgErr
}

// oneLine shows a statement in a message.
func oneLine(sql string) string { return strings.Join(strings.Fields(sql), " ") }

// Conn opens a connection of its own, for what a pool hides: session settings, LISTEN, locks. The test's cleanup
// closes it.
func Conn(t testing.TB, config *pgx.ConnConfig) *pgx.Conn {
	t.Helper()
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatalf("connect to %q: got error %v, want none", config.Database, err)
	}
	// The test's own context has ended by the time its cleanup runs.
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Until polls condition every few milliseconds until it holds; the test ends where it does not within Patience.
func Until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("wait until %s: got no such thing in %v, want it", what, Patience)
		}
	}
}

// Version returns the server's major version: 15 for PostgreSQL 15.4.
func Version(t testing.TB, q Querier) int {
	t.Helper()
	return One[int](t, q, "SELECT current_setting('server_version_num')::int / 10000")
}

// NeedVersion skips the test on a server older than major, naming the feature that it lacks.
func NeedVersion(t testing.TB, q Querier, major int, feature string) {
	t.Helper()
	if got := Version(t, q); got < major {
		t.Skipf("%s needs PostgreSQL %d or later, this is %d", feature, major, got)
	}
}

// NeedExtension creates a trusted extension, or skips the test where the server was installed without it.
func NeedExtension(t testing.TB, q Querier, name string) {
	t.Helper()
	if One[int](t, q, "SELECT count(*) FROM pg_available_extensions WHERE name = $1", name) == 0 {
		t.Skipf("extension %s is not part of this PostgreSQL installation (package postgresql-contrib)", name)
	}
	Exec(t, q, "CREATE EXTENSION "+pgx.Identifier{name}.Sanitize())
}
