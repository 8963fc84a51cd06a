package renew_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	_ "github.com/pgcell/pgcell/tools/internal/golden" // its server is this binary
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/renew"
)

// mustConnect starts a server and connects to it as its superuser.
func mustConnect(t *testing.T, settings map[string]string) (*pgx.Conn, int) {
	t.Helper()
	install, err := binaries.Find(t.Context(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	server, err := postgres.Start(t.Context(), postgres.Config{Install: install, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	conn, err := server.Connect(t.Context(), "postgres", "postgres")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE ROLE pgcell LOGIN; CREATE ROLE reader"); err != nil {
		t.Fatal(err)
	}
	return conn, install.Version.Major
}

func mustReason(t *testing.T, conn *pgx.Conn, major int) string {
	t.Helper()
	reason, err := renew.Uncounted(t.Context(), conn, major)
	if err != nil {
		t.Fatal(err)
	}
	return reason
}

// TestUncounted alters a server in each way that lets tests change rows uncounted, or switch the counters off.
func TestUncounted(t *testing.T) {
	t.Parallel()
	conn, major := mustConnect(t, nil)
	for _, one := range []struct{ sql, want string }{
		{"SELECT", ""},
		{"ALTER ROLE pgcell SET track_counts = off", "role pgcell has track_counts=off"},
		{"ALTER ROLE ALL SET track_counts = off", "a database has track_counts=off"},
		{"ALTER DATABASE template1 SET \"Track_Counts\" = off", "a database has track_counts=off"},
		{"ALTER ROLE pgcell IN DATABASE template1 SET track_counts = on", "role pgcell has track_counts=on"},
		{"ALTER ROLE pgcell SET work_mem = '1MB'", ""},
		{"GRANT SET ON PARAMETER track_counts TO reader", "role reader may change parameter track_counts"},
		{"GRANT SET ON PARAMETER session_preload_libraries TO PUBLIC", "role PUBLIC may change parameter session_preload_libraries"},
		{"GRANT ALTER SYSTEM ON PARAMETER work_mem TO pgcell", "role pgcell may change parameter work_mem"},
		{"GRANT SET ON PARAMETER session_replication_role, log_statement TO pgcell; GRANT SET ON PARAMETER app.tenant TO pgcell", ""},
		{"CREATE ROLE boss SUPERUSER LOGIN", "role boss is a superuser"},
		{"CREATE ROLE boss SUPERUSER; GRANT boss TO reader", "role reader is a member of boss"},
		{"CREATE ROLE boss SUPERUSER", ""},
		{"ALTER ROLE pgcell SUPERUSER", "role pgcell is a superuser"},
		{"GRANT postgres TO pgcell", "role pgcell is a member of postgres"},
		{"GRANT pg_execute_server_program TO reader", "role reader is a member of pg_execute_server_program"},
		{"GRANT pg_read_server_files TO pgcell", "role pgcell is a member of pg_read_server_files"},
		{"GRANT pg_write_server_files TO pgcell", "role pgcell is a member of pg_write_server_files"},
		{"GRANT pg_read_all_data, pg_monitor, reader TO pgcell", ""},
		{"ALTER ROLE pgcell CREATEROLE", map[bool]string{
			true: "role pgcell may make itself a member of pg_execute_server_program",
		}[major < 16]},
		{"ALTER ROLE pgcell CREATEDB BYPASSRLS", ""},
	} {
		if _, err := conn.Exec(t.Context(), "BEGIN; "+one.sql); err != nil {
			t.Fatalf("%s: %v", one.sql, err)
		}
		if got := mustReason(t, conn, major); got != one.want {
			t.Errorf("after %s: Uncounted = %q, want %q", one.sql, got, one.want)
		}
		if _, err := conn.Exec(t.Context(), "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Exec(t.Context(), "ALTER SYSTEM SET track_counts = off"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "SELECT pg_reload_conf()"); err != nil {
		t.Fatal(err)
	}
	const want = "the server has track_counts = off"
	got := ""
	for deadline := time.Now().Add(2 * time.Minute); got != want && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		got = mustReason(t, conn, major)
	}
	if got != want {
		t.Errorf("after ALTER SYSTEM: Uncounted = %q, want %q", got, want)
	}
}

// TestUncountedSettings starts servers whose settings keep changes from being counted as tests make them.
func TestUncountedSettings(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"track_counts": "off", "autovacuum": "on"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, major := mustConnect(t, map[string]string{name: value})
			if got, want := mustReason(t, conn, major), "the server has "+name+" = "+value; !strings.HasPrefix(got, want) {
				t.Errorf("Uncounted = %q, want %q", got, want)
			}
		})
	}
}
