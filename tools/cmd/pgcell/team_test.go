package main

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/postgres"
)

// teamServer is "teamserver": it starts a server that plays a team's, until the script ends, with a database of its own.
// TEAM_URL is how a role connects that may make databases and nothing else; WEAK_URL that of one which may not.
func teamServer(ts *testscript.TestScript, _ bool, _ []string) {
	ctx := context.Background()
	install, err := binaries.Find(ctx, binaries.DefaultSearch(os.Getenv))
	ts.Check(err)
	server, err := postgres.Start(ctx, postgres.Config{Install: install, SocketParent: ts.Getenv("PGCELL_SOCKET_DIR")})
	ts.Check(err)
	ts.Defer(func() { server.Close() })
	conn, err := server.Connect(ctx, "postgres", "postgres")
	ts.Check(err)
	defer conn.Close(ctx)
	for _, sql := range []string{"CREATE ROLE app LOGIN CREATEDB", "CREATE ROLE weak LOGIN", "CREATE DATABASE production OWNER app"} {
		_, err := conn.Exec(ctx, sql)
		ts.Check(err)
	}
	ts.Setenv("TEAM_URL", server.URL("app", "postgres"))
	ts.Setenv("WEAK_URL", server.URL("weak", "postgres"))
	ts.Setenv("TEAM_ADMIN", server.URL("postgres", "postgres"))
}

// teamDatabases is "teamdatabases N": pgcell has N databases on the team's server.
func teamDatabases(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, ts.Getenv("TEAM_ADMIN"))
	ts.Check(err)
	defer conn.Close(ctx)
	var names []string
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		const sql = "SELECT coalesce(array_agg(datname::text), '{}') FROM pg_database WHERE datname ~ '^(pgcell|test_db)_'"
		ts.Check(conn.QueryRow(ctx, sql).Scan(&names))
		if len(names) == want {
			return
		}
	}
	ts.Fatalf("pgcell has the databases %q, want %d", names, want)
}
