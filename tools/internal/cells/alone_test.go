package cells_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/golden"
)

// TestOnlyTheTestsSessions has tests count the sessions in their databases, and end all but their own: in a recycled
// cell they find what they would in a new clone.
func TestOnlyTheTestsSessions(t *testing.T) {
	t.Parallel()
	const (
		others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
		number = "SELECT count(*) " + others
		end    = "SELECT count(pg_terminate_backend(pid)) " + others
	)
	for name, open := range map[string]func(t *testing.T, l *cells.Lease) querier{
		"pool": func(_ *testing.T, l *cells.Lease) querier { return l.Pool() },
		"wide pool": func(t *testing.T, l *cells.Lease) querier {
			pool, err := l.WidePool()
			if err != nil {
				t.Fatal(err)
			}
			return pool
		},
		"own pool": func(t *testing.T, l *cells.Lease) querier {
			pool, err := l.OwnPool(func(*pgxpool.Config) {})
			if err != nil {
				t.Fatal(err)
			}
			return pool
		},
		"URL": func(t *testing.T, l *cells.Lease) querier {
			l.Alone()
			conn, err := pgx.Connect(t.Context(), l.URL())
			if err != nil {
				t.Fatal(err)
			}
			return conn
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := mustOpenWith(t, "CREATE TABLE t (id int)", func(c *cells.Config) { c.Ahead = cells.AheadOff })
			for i := range 6 {
				mustUse(t, c, func(l *cells.Lease) {
					db := open(t, l)
					for _, ask := range []string{number, end, number} {
						var got int
						if err := db.QueryRow(t.Context(), ask).Scan(&got); err != nil || got != 0 {
							t.Errorf("test %d, in a %s cell: %s = %d, %v; want 0", i, l.Made(), ask, got, err)
						}
					}
					if conn, ok := db.(*pgx.Conn); ok {
						conn.Close(t.Context())
					}
				})
				mustUse(t, c, func(l *cells.Lease) {
					if n := count(t, l, "t"); n != 0 {
						t.Errorf("test %d, in a %s cell: %d rows", i, l.Made(), n)
					}
					mustRun(t, l, "INSERT INTO t VALUES (1)")
				})
			}
		})
	}
}

// TestTemplateAsksForSessions has functions and views of the template count sessions, which no statement of a test shows.
func TestTemplateAsksForSessions(t *testing.T) {
	t.Parallel()
	const others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
	for name, sql := range map[string]string{
		"function":             "CREATE FUNCTION others() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) " + others + " $$",
		"function with a body": "CREATE FUNCTION others() RETURNS bigint RETURN (SELECT count(*) " + others + ")",
		"view":                 "CREATE VIEW o AS SELECT * " + others + "; CREATE FUNCTION others() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM o'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := mustOpenWith(t, sql, func(c *cells.Config) { c.Ahead = cells.AheadOff })
			for i := range 3 {
				mustUse(t, c, func(l *cells.Lease) {
					var got int
					if err := l.Pool().QueryRow(t.Context(), "SELECT others()").Scan(&got); err != nil || got != 0 {
						t.Errorf("test %d, in a %s cell: %d others, %v; want 0", i, l.Made(), got, err)
					}
				})
			}
		})
	}
}

// TestCopyOfACell makes databases with a cell as their template, which wants nobody in it.
func TestCopyOfACell(t *testing.T) {
	t.Parallel()
	c := mustOpenMade(t, golden.Recipe{Roles: []string{"pgcell CREATEDB"}}, func(c *cells.Config) { c.Recycle = cells.Auto })
	for i := range 4 {
		mustUse(t, c, func(l *cells.Lease) {
			if !l.MayBeCopied() {
				t.Fatal("MayBeCopied() = false, want true")
			}
			if i%2 == 0 { // its own connection sees to it
				mustRun(t, l, fmt.Sprintf("CREATE DATABASE copy TEMPLATE %s; DROP DATABASE copy", l.Name()))
				return
			}
			l.Alone()
			mustExec(t, l.URL(), "CREATE DATABASE copy TEMPLATE "+l.Name(), "DROP DATABASE copy")
		})
	}
}

type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func TestMentionsSessions(t *testing.T) {
	t.Parallel()
	far := strings.Repeat("pg_stat_", 1<<17) // 1 MB, read in parts
	for text, want := range map[string]bool{
		"":                                   false,
		"pg_stat_user_tables pg_backend_pid": false,
		"SELECT * FROM pg_stat_activity":     true,
		"PG_TERMINATE_BACKEND(1)":            true,
		far:                                  false,
		far + "activity":                     true,
		far + strings.Repeat("x", 30) + "pg_stat_database": true,
		far[:1<<20-5] + " pg_cancel_backend":               true,
	} {
		if got, err := cells.MentionsSessions(strings.NewReader(text)); got != want || err != nil {
			t.Errorf("MentionsSessions(%d bytes, %q at the end) = %v, %v, want %v", len(text), text[max(0, len(text)-20):], got, err, want)
		}
	}
}
