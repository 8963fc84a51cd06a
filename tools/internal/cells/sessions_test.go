package cells_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// mustKeep has a test use a connection, give it back, and keep what is behind it.
func mustKeep(t *testing.T, l *cells.Lease, how string) *pgx.Conn {
	t.Helper()
	if how == "Pool" {
		conn, err := l.Pool().Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
		mustRunOn(t, conn.Conn(), "SELECT 1")
		return conn.Conn()
	}
	pool, err := l.WidePool()
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDBFromPool(pool)
	l.Before(func() { db.Close() })
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var kept *pgx.Conn
	err = conn.Raw(func(driver any) error {
		kept = driver.(*stdlib.Conn).Conn()
		_, err := kept.Exec(t.Context(), "SELECT 1")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

// TestKeptConnection uses a connection of an earlier test's, which has gone on to the next one.
func TestKeptConnection(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"Pool", "DB"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			c := mustShop(t, func(c *cells.Config) { c.Recycle, c.Ahead = cells.Auto, cells.AheadOff })
			var pid uint32
			var kept *pgx.Conn
			mustUse(t, c, func(l *cells.Lease) {
				kept = mustKeep(t, l, how)
				pid = kept.PgConn().PID()
			})
			mustUse(t, c, func(l *cells.Lease) {
				var next uint32
				if err := l.Pool().QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&next); err != nil || next != pid {
					t.Errorf("the next test has process %d, %v, want %d: its session did not go on", next, err, pid)
				}
				if _, err := kept.Exec(t.Context(), "INSERT INTO parent (name) VALUES ('intruder')"); err == nil {
					t.Error("Exec of the kept connection succeeds")
				}
				pg := kept.PgConn()
				if err := pg.Exec(t.Context(), "INSERT INTO parent (name) VALUES ('intruder')").Close(); err == nil {
					t.Error("Exec of the kept PgConn succeeds")
				}
				if n := count(t, l, "parent"); n != 0 {
					t.Errorf("the next test sees %d rows, want 0", n)
				}
			})
		})
	}
}

// TestLateCancel has a test's cancel requests arrive while the next one runs a statement on the same session.
func TestLateCancel(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Recycle, c.Ahead = cells.Auto, cells.AheadOff })
	var late *pgconn.PgConn
	for i := range 30 {
		mustUse(t, c, func(l *cells.Lease) {
			done := make(chan error)
			go func() {
				_, err := l.Pool().Exec(t.Context(), "SELECT pg_sleep(0.02)")
				done <- err
			}()
			for range 5 {
				if late != nil {
					if err := late.CancelRequest(t.Context()); err != nil {
						t.Error(err)
					}
				}
				time.Sleep(2 * time.Millisecond)
			}
			if err := <-done; err != nil {
				t.Fatalf("test %d: %v", i, err)
			}
			late = mustKeep(t, l, "Pool").PgConn()
		})
	}
}

// TestOwnCancel has a test in a recycled cell cancel its own statement.
func TestOwnCancel(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Recycle, c.Ahead = cells.Auto, cells.AheadOff })
	mustUse(t, c, func(l *cells.Lease) { mustRun(t, l, "SELECT 1") })
	mustUse(t, c, func(l *cells.Lease) {
		conn, err := l.Pool().Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
		stop := time.AfterFunc(50*time.Millisecond, func() { conn.Conn().PgConn().CancelRequest(t.Context()) })
		defer stop.Stop()
		var pg *pgconn.PgError
		if _, err := conn.Exec(t.Context(), "SELECT pg_sleep(60)"); !errors.As(err, &pg) || pg.Code != "57014" {
			t.Errorf("in a %s cell: %v, want 57014", l.Made(), err)
		}
	})
}

// tenancy is a template whose policy reads a parameter that tests set in ways which a reader of statements may
// overlook.
const tenancy = `
CREATE TABLE account (id int PRIMARY KEY, tenant text NOT NULL);
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
ALTER TABLE account FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON account USING (tenant = current_setting('app.tenant', true)) WITH CHECK (tenant = current_setting('app.tenant', true));
`

// TestTenantIsForgotten has a test set a parameter with a dot in its name: in the next one it must be NULL, as in a new
// session, not empty.
func TestTenantIsForgotten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ template, set string }{
		"behind a comment":    {set: "-- a; b\nSET app.tenant = '7'"},
		"behind nested ones":  {set: "/* a /* b */ ; */ SET app.tenant = '7'"},
		"in a quoted name":    {set: `SELECT "set_config"('app.tenant', '7', false)`},
		"by escapes":          {set: `SELECT U&"set\005Fconfig"('app.tenant', '7', false)`},
		"in a DO":             {set: "DO $$ BEGIN PERFORM set_config('app.tenant', '7', false); END $$"},
		"by RESET":            {set: "RESET app.tenant"},
		"by a text in a text": {set: "SELECT query_to_xml('SELECT set_config(''app.tenant'', ''7'', false)', true, true, '')::text"},
		"by an aggregate": {
			template: "CREATE AGGREGATE setting(text, bool) (SFUNC = set_config, STYPE = text, INITCOND = 'app.tenant')",
			set:      "SELECT setting('7', false)",
		},
		"by EXECUTE": {
			template: "CREATE FUNCTION enter() RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SE' || 'T app.tenant = ''7'''; RETURN 'x'; END $$",
			set:      "SELECT enter()",
		},
		"by a domain's default": {
			template: "CREATE DOMAIN entry AS text DEFAULT set_config('app.tenant', '7', false); CREATE TABLE entries (id int, e entry)",
			set:      "INSERT INTO entries (id) VALUES (1)",
		},
		"by a domain's check": {
			template: "CREATE DOMAIN entry AS text CHECK (set_config('app.tenant', VALUE, false) <> '')",
			set:      "SELECT '7'::entry::text",
		},
		"by UPDATE pg_settings": {
			template: "CREATE FUNCTION enter() RETURNS text LANGUAGE sql AS $$ UPDATE pg_settings SET setting = '7' WHERE name = 'app.tenant'; SELECT set_config('app.tenant', '7', false) $$",
			set:      "SELECT enter()",
		},
		"by an index": {
			template: "CREATE FUNCTION enter(int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT set_config('app.tenant', '7', false) $$; CREATE TABLE entries (id int); CREATE INDEX ON entries (enter(id))",
			set:      "INSERT INTO entries (id) VALUES (1)",
		},
		"by a rule": {
			template: "CREATE TABLE entries (id int); CREATE RULE enter AS ON INSERT TO entries DO ALSO SELECT set_config('app.tenant', '7', false)",
			set:      "INSERT INTO entries (id) VALUES (1)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := mustOpenWith(t, tenancy+c.template, func(c *cells.Config) { c.Recycle, c.Ahead = cells.Auto, cells.AheadOff })
			mustUse(t, cluster, func(l *cells.Lease) {
				conn, err := l.Pool().Acquire(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Release()
				if _, err := conn.Conn().PgConn().Exec(t.Context(), c.set).ReadAll(); err != nil {
					t.Fatalf("%s: %v", c.set, err)
				}
				var now *string
				if err := conn.QueryRow(t.Context(), "SELECT current_setting('app.tenant', true)").Scan(&now); err != nil {
					t.Fatal(err)
				}
				if now == nil && name != "by RESET" {
					t.Fatalf("%s sets nothing: the test tests nothing", c.set)
				}
			})
			mustUse(t, cluster, func(l *cells.Lease) {
				const ask = "SELECT current_setting('app.tenant', true) IS NULL"
				var forgotten bool
				if err := l.Pool().QueryRow(t.Context(), ask).Scan(&forgotten); err != nil || !forgotten {
					t.Errorf("in a %s cell: app.tenant IS NULL = %v, %v, want true", l.Made(), forgotten, err)
				}
				if _, err := l.Pool().Exec(t.Context(), "INSERT INTO account VALUES (1, '')"); err == nil {
					t.Errorf("in a %s cell: an INSERT that the policy must refuse succeeds", l.Made())
				}
			})
		})
	}
}

// TestSessionsGoOn has sessions serve many tests after plain statements, by each of the ways to send them.
func TestSessionsGoOn(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Recycle, c.Ahead = cells.Auto, cells.AheadOff })
	processes := map[string]bool{}
	for i := range 12 {
		mustUse(t, c, func(l *cells.Lease) {
			var pid int
			if i%2 == 0 {
				mustRun(t, l, "BEGIN; INSERT INTO parent (name) VALUES ('x'); COMMIT; LISTEN news; NOTIFY news")
				if err := l.Pool().QueryRow(t.Context(), "SELECT pg_backend_pid() WHERE $1 <> ''", "x").Scan(&pid); err != nil {
					t.Fatal(err)
				}
			} else {
				pool, err := l.WidePool()
				if err != nil {
					t.Fatal(err)
				}
				db := stdlib.OpenDBFromPool(pool)
				l.Before(func() { db.Close() })
				if _, err := db.ExecContext(t.Context(), "INSERT INTO parent (name) VALUES ($1)", "x"); err != nil {
					t.Fatal(err)
				}
				if err := db.QueryRowContext(t.Context(), "SELECT pg_backend_pid()").Scan(&pid); err != nil {
					t.Fatal(err)
				}
			}
			processes[fmt.Sprint(pid)] = true
		})
	}
	if len(processes) != 1 {
		t.Errorf("12 tests in a row had the processes %v, want one process", processes)
	}
}
