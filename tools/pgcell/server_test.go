package pgcell_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/pgcell"
)

func TestServerIsPrivate(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t, pgcell.ServerConfig{Settings: map[string]string{"wal_level": "logical", "work_mem": "3MB"}})
	exec := func(sql string) {
		t.Helper()
		if _, err := server.Pool().Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	scan := func(sql string) (got string) {
		t.Helper()
		if err := server.Pool().QueryRow(t.Context(), sql).Scan(&got); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return got
	}
	exec("CREATE ROLE somebody LOGIN")
	exec("SELECT pg_create_logical_replication_slot('s', 'test_decoding')")
	exec("CREATE TABLESPACE space LOCATION '" + server.Dir() + "'")
	exec("CREATE TABLE t TABLESPACE space AS SELECT 'there' AS x")
	exec("ALTER SYSTEM SET work_mem = '5MB'")
	if got := scan("SHOW work_mem"); got != "3MB" {
		t.Errorf("work_mem = %q before the restart, want 3MB", got)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	for sql, want := range map[string]string{
		"SHOW work_mem":   "5MB",
		"SELECT x FROM t": "there",
		"SELECT slot_name::text FROM pg_replication_slots": "s",
		"SELECT current_user::text":                        "postgres",
	} {
		if got := scan(sql); got != want {
			t.Errorf("%s = %q, want %q", sql, got, want)
		}
	}
	conn, err := pgx.Connect(t.Context(), server.URLFor("somebody", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close(t.Context())
	if n := mustScan[int](t, pgcell.New(t), "SELECT count(*) FROM pg_roles WHERE rolname = 'somebody'"); n != 0 {
		t.Error("the role of the private server is seen from a cell")
	}
}

func TestServerErrors(t *testing.T) {
	t.Parallel()
	bad := pgcell.ServerConfig{Settings: map[string]string{"work_mem": "much"}}
	ensureFatal(t, func(f *fakeTB) { pgcell.Server(f, bad) }, "pgcell.Server: start server of PostgreSQL", `"work_mem": "much"`, "end of the server's log")
	server := pgcell.Server(t)
	if _, err := server.Pool().Exec(t.Context(), "ALTER SYSTEM SET shared_preload_libraries = 'no_such_library'"); err != nil {
		t.Fatal(err)
	}
	err := server.Restart(t.Context())
	if err == nil || !strings.Contains(err.Error(), "restart private server: start server of") || !strings.Contains(err.Error(), "no_such_library") {
		t.Errorf("Restart = %v, want the log's word on no_such_library", err)
	}
}
