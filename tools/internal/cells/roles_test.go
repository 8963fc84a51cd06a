package cells_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/golden"
)

// TestParametersInBetween has a test give its database or role a parameter, open a connection, and take it back: the
// connection has it for ever, and no RESET knows.
func TestParametersInBetween(t *testing.T) {
	t.Parallel()
	for what, alter := range map[string]string{
		"database": "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I ', current_database()) || ",
		"role":     "DO $$ BEGIN EXECUTE 'ALTER ROLE pgcell ' || ",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := mustShop(t, func(c *cells.Config) { c.Ahead, c.Recycle = cells.AheadOff, cells.Auto })
			mustUse(t, c, func(l *cells.Lease) {
				first, err := l.Pool().Acquire(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer first.Release()
				if _, err := first.Exec(t.Context(), alter+"'SET timezone = ''Asia/Tokyo'''; END $$"); err != nil {
					t.Fatal(err)
				}
				if got := timezone(t, l); got != "Asia/Tokyo" {
					t.Errorf("a connection of the same test has time zone %s", got)
				}
				if _, err := first.Exec(t.Context(), alter+"'RESET timezone'; END $$"); err != nil {
					t.Fatal(err)
				}
			})
			for range 2 {
				mustUse(t, c, func(l *cells.Lease) {
					for range 2 {
						conn, err := l.Pool().Acquire(t.Context())
						if err != nil {
							t.Fatal(err)
						}
						defer conn.Release()
						var got string
						if err := conn.QueryRow(t.Context(), "SHOW timezone").Scan(&got); err != nil || got != "UTC" {
							t.Errorf("in a %s cell the time zone is %s, %v", l.Made(), got, err)
						}
					}
				})
			}
		})
	}
}

// TestParametersBesideOtherChanges has a test give its role a parameter and change what drops its cell anyway: the next
// test does not have the parameter.
func TestParametersBesideOtherChanges(t *testing.T) {
	t.Parallel()
	for what, sql := range map[string]string{
		"alone": "ALTER ROLE pgcell SET timezone = 'Asia/Tokyo'",
		"DDL":   "CREATE TABLE beside (); ALTER ROLE pgcell SET timezone = 'Asia/Tokyo'",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := mustShop(t, func(c *cells.Config) { c.Ahead, c.Recycle = cells.AheadOff, cells.Auto })
			mustUse(t, c, func(l *cells.Lease) {
				if _, err := l.Pool().Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			})
			mustUse(t, c, func(l *cells.Lease) {
				if got := timezone(t, l); got != "UTC" {
					t.Errorf("in a %s cell the time zone is %s, want UTC", l.Made(), got)
				}
			})
		})
	}
}

func timezone(t testing.TB, l *cells.Lease) (name string) {
	t.Helper()
	if err := l.Pool().QueryRow(t.Context(), "SHOW timezone").Scan(&name); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestCopyOfACell has tests whose role may make databases copy their own, which must have no sessions for that.
func TestCopyOfACell(t *testing.T) {
	t.Parallel()
	c := mustOpenMade(t, golden.Recipe{Roles: []string{"pgcell CREATEDB"}}, func(c *cells.Config) { c.Recycle = cells.Auto })
	for i := range 4 {
		mustUse(t, c, func(l *cells.Lease) {
			if i > 0 && l.Made() != "recycled" {
				t.Errorf("cell %d is %s, want a recycled one", i, l.Made())
			}
			mustRun(t, l, "SELECT 1")
			l.Pool().Reset()
			mustExec(t, l.URL(), "CREATE DATABASE copy TEMPLATE "+l.Name(), "DROP DATABASE copy")
		})
	}
}
