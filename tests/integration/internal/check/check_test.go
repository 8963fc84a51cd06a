package check_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
)

// fakeT records what an assertion says in place of failing the test that looks at it.
type fakeT struct {
	testing.TB
	messages []string
}

func (f *fakeT) Helper()                  {}
func (f *fakeT) Context() context.Context { return context.Background() }
func (f *fakeT) Errorf(format string, args ...any) {
	f.messages = append(f.messages, fmt.Sprintf(format, args...))
}
func (f *fakeT) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(f) // ends the assertion, as the real Fatalf does
}

// messageOf runs an assertion against a fake and returns what it complained of, or "".
func messageOf(assertion func(testing.TB)) string {
	f := &fakeT{}
	func() {
		defer func() {
			if r := recover(); r != nil && r != any(f) {
				panic(r)
			}
		}()
		assertion(f)
	}()
	return strings.Join(f.messages, "\n")
}

// brokenQuerier answers everything with one error.
type brokenQuerier struct{ err error }

func (b brokenQuerier) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, b.err
}
func (b brokenQuerier) Query(context.Context, string, ...any) (pgx.Rows, error) { return nil, b.err }
func (b brokenQuerier) QueryRow(context.Context, string, ...any) pgx.Row        { return nil }

// Equal keeps silent on equal values and shows both sides of unequal ones.
func TestEqualReportsBothSides(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		assertion func(testing.TB)
		want      string
	}{
		{"equal", func(t testing.TB) { check.Equal(t, "count", 3, 3) }, ""},
		{"scalar", func(t testing.TB) { check.Equal(t, "count", 2, 3) }, "count: got 2, want 3"},
		{"structure", func(t testing.TB) { check.Equal(t, "names", []string{"a"}, []string{"b"}) },
			"names: got [a], want [b]; diff (-want +got):"},
	}
	for _, test := range tests {
		got := messageOf(test.assertion)
		if !strings.HasPrefix(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%s: got message %q, want %q", test.name, got, test.want)
		}
	}
}

// Code accepts the wanted SQLSTATE, also wrapped, and nothing else: no other code, no other error, no success.
func TestCodeWantsThatSQLSTATE(t *testing.T) {
	t.Parallel()
	unique := &pgconn.PgError{Code: "23505", Message: "duplicate key"}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"same", unique, ""},
		{"wrapped", fmt.Errorf("insert: %w", unique), ""},
		{"other code", &pgconn.PgError{Code: "23503", Message: "no such parent"},
			"op: got SQLSTATE 23503 (no such parent), want 23505"},
		{"other error", errors.New("broken pipe"), "op: got error broken pipe, want SQLSTATE 23505"},
		{"success", nil, "op: got error <nil>, want SQLSTATE 23505"},
	}
	for _, test := range tests {
		got := messageOf(func(t testing.TB) { check.Code(t, "op", test.err, "23505") })
		if got != test.want {
			t.Errorf("%s: got message %q, want %q", test.name, got, test.want)
		}
	}
}

// An error that a test did not ask for ends it, and names the statement.
func TestStatementsEndTheTestOnError(t *testing.T) {
	t.Parallel()
	broken := brokenQuerier{errors.New("broken pipe")}
	for name, assertion := range map[string]func(testing.TB){
		"exec":  func(t testing.TB) { check.Exec(t, broken, "SELECT\n\t\t1") },
		"query": func(t testing.TB) { check.One[int](t, broken, "SELECT 1") },
	} {
		want := name + ` "SELECT 1": got error broken pipe, want none`
		if got := messageOf(assertion); got != want {
			t.Errorf("%s: got message %q, want %q", name, got, want)
		}
	}
}
