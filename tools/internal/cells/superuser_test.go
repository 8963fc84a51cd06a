package cells_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/golden"
)

// TestNobodyIsTheSuperuser has a test connect as postgres, with the passwords that it may know.
func TestNobodyIsTheSuperuser(t *testing.T) {
	t.Parallel()
	c := mustOpenMade(t, golden.Recipe{Roles: []string{"reader LOGIN"}}, func(c *cells.Config) {
		c.Settings = map[string]string{"wal_level": "replica", "max_wal_senders": "2"}
	})
	mustUse(t, c, func(l *cells.Lease) {
		for _, password := range []string{"", "postgres", golden.Password} {
			for _, database := range []string{l.Name(), cells.AdminDatabase} {
				config := l.Config()
				config.User, config.Password, config.Database = cells.AdminRole, password, database
				if err := connects(t, config); err == nil || !strings.Contains(err.Error(), "password") {
					t.Errorf("postgres with password %q connects to %s: %v, want it refused for its password", password, database, err)
				}
			}
		}
		config := l.Config()
		config.User = "reader"
		if err := connects(t, config); err != nil {
			t.Errorf("role reader is refused: %v", err)
		}
		config = l.Config()
		config.User, config.RuntimeParams["replication"] = cells.AdminRole, "true"
		if err := connects(t, config); err == nil || !strings.Contains(err.Error(), "password") {
			t.Errorf("postgres connects for replication: %v, want it refused for its password", err)
		}
	})
}

func connects(t *testing.T, config *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err == nil {
		conn.Close(t.Context())
	}
	return err
}

// TestSuperuserTemplate has tests of a template that makes them superusers connect as postgres too.
func TestSuperuserTemplate(t *testing.T) {
	t.Parallel()
	c := mustOpenMade(t, golden.Recipe{Superuser: true}, nil)
	mustUse(t, c, func(l *cells.Lease) {
		config := l.Config()
		config.User = cells.AdminRole
		if err := connects(t, config); err != nil {
			t.Error(err)
		}
	})
}

// TestUncountedIsNotUsedAgain has a test leave a row where the server does not count it, as superuser or by a setting.
func TestUncountedIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	const table = "CREATE TABLE t (n int);"
	for name, r := range map[string]golden.Recipe{
		"setting":    {Settings: map[string]string{"track_counts": "off"}},
		"superuser":  {Roles: []string{golden.Role + " SUPERUSER"}},
		"member":     {Roles: []string{"boss SUPERUSER"}},
		"program":    {Roles: []string{"runner IN ROLE pg_execute_server_program"}},
		"parameters": {Roles: []string{golden.Role + " CREATEROLE"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r.Migrations = []golden.Script{{Name: "x.sql", SQL: table}}
			c := mustOpenMade(t, r, func(c *cells.Config) { c.Ahead, c.Recycle = cells.AheadOff, cells.Auto })
			if name == "parameters" && c.Manifest().Postgres.Major >= 16 {
				t.Skip("CREATEROLE makes nobody more than it is")
			}
			for range 2 {
				mustUse(t, c, func(l *cells.Lease) {
					var n int
					if err := l.Pool().QueryRow(t.Context(), "SELECT count(*) FROM t").Scan(&n); err != nil || n != 0 || l.Made() != "cloned" {
						t.Errorf("a %s cell has %d rows, %v; want a new clone without any", l.Made(), n, err)
					}
					for _, sql := range []string{"SET ROLE boss", "SET track_counts = off", "INSERT INTO t VALUES (1)"} {
						l.Pool().Exec(t.Context(), sql) // as far as it can
					}
				})
			}
		})
	}
}

// TestResetCounters has the superuser set counters to zero behind a test that has filled a table.
func TestResetCounters(t *testing.T) {
	t.Parallel()
	for _, reset := range []string{"pg_stat_reset()", "pg_stat_reset_single_table_counters('t'::regclass)"} {
		t.Run(reset, func(t *testing.T) {
			t.Parallel()
			c := mustOpenWith(t, "CREATE TABLE t (n int)", func(c *cells.Config) { c.Ahead, c.Recycle = cells.AheadOff, cells.Auto })
			mustUse(t, c, func(l *cells.Lease) { mustRun(t, l, "INSERT INTO t VALUES (1)") })
			mustUse(t, c, func(l *cells.Lease) {
				if l.Made() != "recycled" {
					t.Errorf("the cell is %s, want it recycled", l.Made())
				}
				mustRun(t, l, "INSERT INTO t VALUES (1); SELECT pg_stat_force_next_flush()")
				admin, err := c.Server().Connect(t.Context(), cells.AdminRole, l.Name())
				if err != nil {
					t.Fatal(err)
				}
				defer admin.Close(context.Background())
				if _, err := admin.Exec(t.Context(), fmt.Sprintf("SELECT %s", reset)); err != nil {
					t.Fatal(err)
				}
			})
			mustUse(t, c, func(l *cells.Lease) {
				var n int
				if err := l.Pool().QueryRow(t.Context(), "SELECT count(*) FROM t").Scan(&n); err != nil || n != 0 || l.Made() != "cloned" {
					t.Errorf("a %s cell has %d rows, %v; want a new clone without any", l.Made(), n, err)
				}
			})
		})
	}
}
