package cells_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/golden"
)

// TestDatabaseParameters has parameters that migrations give to the database, or to roles in it, hold in each cell, be it
// new or recycled, and keep none from being used again.
func TestDatabaseParameters(t *testing.T) {
	t.Parallel()
	const alter = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET "
	for name, sql := range map[string]string{
		"database":         alter + "search_path TO app, public', current_database()); END $$",
		"role in database": "DO $$ BEGIN EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET search_path TO app, public', current_database()); END $$",
		"role":             "ALTER ROLE CURRENT_USER SET search_path TO app, public",
		"and rights": alter + "search_path TO app, public', current_database());" +
			" EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()); END $$",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := mustOpenMade(t, golden.Recipe{Migrations: []golden.Script{
				{Name: "1.sql", SQL: "CREATE SCHEMA app; CREATE TABLE app.account (id int);"}, {Name: "2.sql", SQL: sql},
			}}, func(c *cells.Config) { c.Ahead, c.Recycle = cells.AheadOff, cells.Verify })
			for i, run := range []string{
				"INSERT INTO account VALUES (1)", "INSERT INTO account VALUES (2)", "CREATE TABLE more ()", // which drops the cell
				"SELECT 1", "INSERT INTO account VALUES (3)", alter + "search_path TO public', current_database()); END $$",
				"SELECT 1", "SELECT 1",
			} {
				mustUse(t, c, func(l *cells.Lease) {
					var rows int
					var public bool
					const query = "SELECT count(*), has_database_privilege(0::oid, current_database(), 'TEMPORARY') FROM account"
					if err := l.Pool().QueryRow(t.Context(), query).Scan(&rows, &public); err != nil || rows != 0 {
						t.Errorf("cell %d, %s, has %d rows, %v", i, l.Made(), rows, err)
					}
					if public != (name != "and rights") {
						t.Errorf("cell %d, %s: PUBLIC may make temporary tables: %v", i, l.Made(), public)
					}
					if c.Server().Install().Version.Major >= 15 && (i == 1 || i == 2 || i == 4 || i == 5 || i == 7) != (l.Made() == "recycled") {
						t.Errorf("cell %d is %s", i, l.Made())
					}
					mustRun(t, l, run)
				})
			}
		})
	}
}

// TestOthersParameters makes and drops cells, with the parameters that they have of the template, while one is in use:
// it is recycled nevertheless.
func TestOthersParameters(t *testing.T) {
	t.Parallel()
	c := mustOpenMade(t, golden.Recipe{Migrations: []golden.Script{{Name: "1.sql", SQL: "DO $$ BEGIN " +
		"EXECUTE format('ALTER DATABASE %I SET work_mem = ''7MB''', current_database()); END $$"}}},
		func(c *cells.Config) { c.Ahead, c.Recycle = cells.AheadOff, cells.Auto })
	if c.Server().Install().Version.Major < 15 {
		t.Skip("PostgreSQL 14 recycles no cells")
	}
	first := mustTake(t, c)
	for range 2 {
		mustUse(t, c, func(l *cells.Lease) { mustRun(t, l, "CREATE TABLE t ()") })
	}
	for _, conn := range c.Admin().AcquireAllIdle(t.Context()) { // which would hand in later what they have counted
		if _, err := conn.Exec(t.Context(), "SELECT pg_stat_force_next_flush()"); err != nil {
			t.Error(err)
		}
		conn.Release()
	}
	mustRun(t, first, "SELECT 1")
	if err := first.Return(); err != nil {
		t.Fatal(err)
	}
	if err := c.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustUse(t, c, func(l *cells.Lease) {
		if l.Made() != "recycled" {
			t.Errorf("the cell is %s, want a recycled one", l.Made())
		}
	})
}
