package pgcell_test

import (
	"context"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/pgcell"
)

var shop = pgcell.Config{Migrations: fstest.MapFS{
	"1_users.sql":      {Data: []byte("CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL);")},
	"1_users.down.sql": {Data: []byte("DROP TABLE users;")},
	"2_ada.sql":        {Data: []byte("INSERT INTO users (name) VALUES ('Ada');")},
}}

// mustScan gives the single value of a query on the cell's pool.
func mustScan[T any](t *testing.T, cell *pgcell.Cell, sql string, args ...any) T {
	t.Helper()
	var got T
	if err := cell.Pool().QueryRow(t.Context(), sql, args...).Scan(&got); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}

func TestNewGivesMigratedDatabase(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t, shop)
	if got := mustScan[string](t, cell, "SELECT name FROM users"); got != "Ada" {
		t.Errorf("name = %q, want Ada", got)
	}
	if got := mustScan[string](t, cell, "SELECT current_database()"); got != cell.Name() {
		t.Errorf("current_database() = %q, want %q", got, cell.Name())
	}
	if got := mustScan[bool](t, cell, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"); got {
		t.Error("the cell's role is a superuser, want an ordinary one")
	}
}

func TestNames(t *testing.T) {
	cell := pgcell.New(t) // not parallel: it reads the process's environment
	want := regexp.MustCompile(`^test_db_(w\d+|master)_([0-9a-f]{8})$`)
	m := want.FindStringSubmatch(cell.Name())
	if m == nil || m[1] != pgcell.Worker() {
		t.Fatalf("Name() = %q, want %v with worker %s", cell.Name(), want, pgcell.Worker())
	}
	if got, want := cell.Table(), "test_table_"+m[1]+"_"+m[2]; got != want {
		t.Errorf("Table() = %q, want %q", got, want)
	}
	second := pgcell.New(t)
	if got, want := second.Name(), cell.Name()+"_2"; got != want {
		t.Errorf("second Name() = %q, want %q", got, want)
	}
	for name, want := range map[string]string{"TEST_DB_NAME": cell.Name(), "TEST_DB_NAME_2": second.Name(), "TEST_TABLE_NAME": cell.Table()} {
		if got := os.Getenv(name); got != want {
			t.Errorf("$%s = %q, want %q", name, got, want)
		}
	}
}

func TestCellsAreApart(t *testing.T) {
	t.Parallel()
	one, two := pgcell.New(t, shop), pgcell.New(t, shop)
	if _, err := one.Pool().Exec(t.Context(), "INSERT INTO users (name) VALUES ('Grace')"); err != nil {
		t.Fatal(err)
	}
	if got := mustScan[int](t, one, "SELECT count(*) FROM users"); got != 2 {
		t.Errorf("in the first cell %d users, want 2", got)
	}
	if got := mustScan[int](t, two, "SELECT count(*) FROM users"); got != 1 {
		t.Errorf("in the second cell %d users, want 1", got)
	}
}

func TestCellGoesWithTest(t *testing.T) {
	t.Parallel()
	watch := pgcell.New(t)
	f := &fakeTB{name: t.Name()}
	var name string
	f.run(func() {
		cell := pgcell.New(f)
		name = cell.Name()
		conn, err := pgx.ConnectConfig(t.Context(), cell.Config()) // left open, as careless tests do
		if err != nil {
			f.Fatalf("%v", err)
		}
		if _, err := conn.Exec(t.Context(), "CREATE TABLE mine (); BEGIN; LOCK mine"); err != nil {
			f.Fatalf("%v", err)
		}
		if _, err := cell.DB().Exec("SELECT 1"); err != nil {
			f.Fatalf("%v", err)
		}
		if n := mustScan[int](t, watch, "SELECT count(*) FROM pg_database WHERE datname = $1", name); n != 1 {
			f.Fatalf("%d databases of this name while the test runs, want 1", n)
		}
	})
	if f.fatal != "" || len(f.logs) > 0 && strings.Contains(strings.Join(f.logs, "\n"), "drop cell") {
		t.Fatalf("fatal %q, logs %q", f.fatal, f.logs)
	}
	gone := func() bool {
		return mustScan[int](t, watch, "SELECT count(*) FROM pg_database WHERE datname = $1", name) == 0
	}
	for deadline := time.Now().Add(time.Minute); !gone() && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
	}
	if !gone() {
		t.Error("a database of this name a minute after the test, want none")
	}
	if got := os.Getenv("TEST_DB_NAME"); got == name {
		t.Error("TEST_DB_NAME still names the cell after its test")
	}
}

func TestDatabaseSQL(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t, shop)
	var got string
	if err := cell.DB().QueryRowContext(t.Context(), "SELECT name FROM users WHERE id = $1", 1).Scan(&got); err != nil || got != "Ada" {
		t.Errorf("got %q, %v; want Ada", got, err)
	}
}

func TestPoolIsAdjusted(t *testing.T) {
	t.Parallel()
	config := shop
	config.Pool = func(c *pgxpool.Config) {
		c.MaxConns = 9
		c.ConnConfig.RuntimeParams["application_name"] = "adjusted"
	}
	cell := pgcell.New(t, config)
	if got := cell.Pool().Config().MaxConns; got != 9 {
		t.Errorf("MaxConns = %d, want 9", got)
	}
	if got := mustScan[string](t, cell, "SHOW application_name"); got != "adjusted" {
		t.Errorf("application_name = %q, want adjusted", got)
	}
}

func TestMigrateFunction(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t, pgcell.Config{MigrateKey: "pgcell test 1", Extensions: []string{"hstore"},
		Migrate: func(ctx context.Context, url string) error {
			conn, err := pgx.Connect(ctx, url)
			if err != nil {
				return err
			}
			defer conn.Close(ctx)
			_, err = conn.Exec(ctx, "CREATE TABLE made AS SELECT 'a=>1'::hstore AS h")
			return err
		}})
	if got := mustScan[string](t, cell, "SELECT h->'a' FROM made"); got != "1" {
		t.Errorf("got %q, want 1", got)
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	config := shop
	config.Empty = true
	cell := pgcell.New(t, config)
	if n := mustScan[int](t, cell, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"); n != 0 {
		t.Errorf("%d tables, want none", n)
	}
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	migrate := func(context.Context, string) error { return nil }
	for _, c := range []struct {
		name   string
		config []pgcell.Config
		want   []string
	}{
		{"two", []pgcell.Config{{}, {}}, []string{"pgcell.New: got 2 configs, want at most one; call it once for each database"}},
		{"no key", []pgcell.Config{{Migrate: migrate}}, []string{"Config.Migrate is set, but not MigrateKey", "set it to the version of the schema"}},
		{"no function", []pgcell.Config{{MigrateKey: "v1"}}, []string{`Config.MigrateKey is "v1", but there is no Config.Migrate`}},
		{"no files", []pgcell.Config{{Migrations: fstest.MapFS{}}}, []string{"Config.Migrations: read migrations: the file system holds no *.sql file"}},
		{"open order", []pgcell.Config{{Migrations: fstest.MapFS{"a.sql": {}, "b.sql": {}}}},
			[]string{"Config.Migrations: order migrations: a.sql, b.sql: no leading number", "Config.Order in Go"}},
		{"order of nothing", []pgcell.Config{{Order: []string{"a.sql"}}}, []string{"Config.Order is set, but there is no Config.Migrations"}},
		{"bad migration", []pgcell.Config{{Migrations: fstest.MapFS{"1.sql": {Data: []byte("SELECT 1;\nSELEC 2")}}}},
			[]string{`1.sql:2: ERROR: syntax error at or near "SELEC"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ensureFatal(t, func(f *fakeTB) { pgcell.New(f, c.config...) }, c.want...)
		})
	}
}

// TestWarningsGoToTheProcess has a test of its own pipe in os.Stderr, in which nothing of pgcell's must appear. Not
// parallel, for it is one variable.
func TestWarningsGoToTheProcess(t *testing.T) {
	t.Setenv("PGCELL_LOG", "1") // so that it is told that connections of this schema serve one test only
	config := pgcell.Config{Migrations: fstest.MapFS{"1.sql": &fstest.MapFile{
		Data: []byte("CREATE FUNCTION sets() RETURNS void LANGUAGE plpgsql AS 'BEGIN SET work_mem = 1000; END'"),
	}}}
	old := os.Stderr
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	os.Stderr = w
	f := &fakeTB{name: "TestWarns"}
	f.run(func() { pgcell.New(f, config) })
	os.Stderr = old
	w.Close()
	r.SetReadDeadline(time.Now().Add(2 * time.Minute))
	if got, err := io.ReadAll(r); len(got) > 0 || err != nil {
		t.Errorf("the test's pipe gave %q, %v, want its end", got, err)
	}
}
