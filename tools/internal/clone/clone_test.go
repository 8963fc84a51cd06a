package clone_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/clone"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/storage"
)

// made is a Cloner, and what it works with.
type made struct {
	*clone.Cloner
	server   *postgres.Server
	admin    *pgxpool.Pool
	template string

	mu       sync.Mutex
	warnings []string
}

// mustMake starts a server on a golden cluster; change may alter how.
func mustMake(t *testing.T, r golden.Recipe, change func(*postgres.Config)) *made {
	t.Helper()
	install, err := binaries.Find(t.Context(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.pgcell")
	if err := golden.BuildFile(t.Context(), path, install, r, golden.Options{}); err != nil {
		t.Fatal(err)
	}
	m, err := golden.ReadManifest(path)
	if err != nil {
		t.Fatal(err)
	}
	config := postgres.Config{Install: install, Source: golden.Source(path), Password: golden.Password, Settings: map[string]string{}}
	maps.Copy(config.Settings, m.Settings)
	if change != nil {
		change(&config)
	}
	c := &made{template: m.Template}
	if c.server, err = postgres.Start(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.server.Close() })
	if c.admin, err = pgxpool.NewWithConfig(t.Context(), c.server.OwnConfig(golden.Superuser, "postgres")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.admin.Close)
	if c.Cloner, err = clone.New(t.Context(), c.server, c.admin, m, c.warn); err != nil {
		t.Fatal(err)
	}
	return c
}

func (m *made) warn(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.warnings = append(m.warnings, text)
}

// mustConnect connects to a database, as a test's role or as the superuser.
func (m *made) mustConnect(t *testing.T, user, database string) *pgx.Conn {
	t.Helper()
	conn, err := m.server.Connect(t.Context(), user, database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// mustShow gives the one value that a query shows.
func (m *made) mustShow(t *testing.T, sql string, args ...any) (value string) {
	t.Helper()
	if err := m.admin.QueryRow(t.Context(), sql, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func (m *made) databases(t *testing.T, names ...string) string {
	t.Helper()
	return m.mustShow(t, "SELECT coalesce(string_agg(datname, ', ' ORDER BY datname), '') FROM pg_database WHERE datname = ANY ($1)", names)
}

func mustExec(t *testing.T, conn *pgx.Conn, statements ...string) {
	t.Helper()
	// A slot waits for prepared transactions that were not ended.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

func oneRow() golden.Recipe {
	return golden.Recipe{Migrations: []golden.Script{{Name: "t.sql", SQL: "CREATE TABLE t AS SELECT 1 AS id"}}}
}

// TestNames makes databases of odd names, names them anew, and drops them.
func TestNames(t *testing.T) {
	t.Parallel()
	m := mustMake(t, oneRow(), nil)
	for _, name := range []string{"plain", "Upper Case", `quo"ted`, "sem;icolon -- x", "it's", "größe", strings.Repeat("n", 63)} {
		d, err := m.Create(t.Context(), name, m.template)
		if err != nil {
			t.Fatal(err)
		}
		conn := m.mustConnect(t, golden.Role, name)
		mustExec(t, conn, "INSERT INTO t VALUES (2)", "ALTER TABLE t ADD more int")
		conn.Close(t.Context())
		got := m.mustShow(t, "SELECT concat_ws(' ', oid, pg_get_userbyid(datdba)) FROM pg_database WHERE datname = $1", name)
		if want := fmt.Sprint(d.OID, " ", golden.Role); got != want {
			t.Errorf("%q has oid and owner %s, want %s", name, got, want)
		}
		other := "_" + name[1:]
		if err := m.Rename(t.Context(), &d, other); err != nil {
			t.Fatal(err)
		}
		if got := m.databases(t, name, other); got != other {
			t.Errorf("after Rename there is %q, want %q", got, other)
		}
		if err := m.Drop(t.Context(), other, d.OID); err != nil {
			t.Fatal(err)
		}
		if got := m.databases(t, name, other); got != "" {
			t.Errorf("after Drop there is %q", got)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	m := mustMake(t, oneRow(), nil)
	d, err := m.Create(t.Context(), "one", m.template)
	if err != nil {
		t.Fatal(err)
	}
	ensure := func(what string, err error, want string) {
		t.Helper()
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s = %v, want %s", what, err, want)
		}
	}
	_, err = m.Create(t.Context(), "one", m.template)
	ensure("Create of a name in use", err, `make cell one: ERROR: database "one" already exists`)
	_, err = m.Create(t.Context(), "two", "nowhere")
	ensure("Create of no template", err, `make cell two: ERROR: template database "nowhere" does not exist`)
	if err := m.Drop(t.Context(), "nowhere", 0); err != nil {
		t.Errorf("Drop of what is gone = %v, want nil", err)
	}
	mustExec(t, m.mustConnect(t, golden.Superuser, "postgres"), "ALTER DATABASE one CONNECTION LIMIT 5")
	ensure("Rename of an altered database", m.Rename(t.Context(), &d, "other"), "name cell other: no rows in result set")
	if got := m.databases(t, "one", "two", "other"); got != "one" {
		t.Errorf("there are databases %q, want one", got)
	}
}

// TestDropEndsWhatIsLeft drops databases that sessions, prepared transactions and replication slots hold.
func TestDropEndsWhatIsLeft(t *testing.T) {
	t.Parallel()
	m := mustMake(t, oneRow(), func(c *postgres.Config) {
		c.Settings["max_prepared_transactions"], c.Settings["wal_level"] = "5", "logical"
	})
	for name, leave := range map[string]func(name string){
		"session": func(name string) { mustExec(t, m.mustConnect(t, golden.Role, name), "BEGIN", "LOCK t") },
		"prepared": func(name string) {
			mustExec(t, m.mustConnect(t, golden.Role, name), "BEGIN", "DELETE FROM t", "PREPARE TRANSACTION 'it''s'")
		},
		"slot": func(name string) {
			mustExec(t, m.mustConnect(t, golden.Superuser, name), "SELECT pg_create_logical_replication_slot('s', 'test_decoding')")
		},
		`all "of it"`: func(name string) {
			conn := m.mustConnect(t, golden.Superuser, name)
			mustExec(t, conn, "SELECT pg_create_logical_replication_slot('it', 'test_decoding')", "BEGIN", "DELETE FROM t", "PREPARE TRANSACTION '\"'")
			mustExec(t, m.mustConnect(t, golden.Role, name), "SELECT 1")
		},
	} {
		d, err := m.Create(t.Context(), name, m.template)
		if err != nil {
			t.Fatal(err)
		}
		leave(name)
		if err := m.Drop(t.Context(), name, d.OID); err != nil {
			t.Error(err)
		}
		if m.databases(t, name) != "" {
			t.Errorf("%s is still there", name)
		}
	}
}

// TestStrategy makes databases in memory and on disk, by the statement that suits each.
func TestStrategy(t *testing.T) {
	t.Parallel()
	for _, where := range []storage.Kind{storage.Memory, storage.Disk} {
		m := mustMake(t, oneRow(), func(c *postgres.Config) { c.Storage, c.Settings["log_statement"] = where, "ddl" })
		want := "WAL_LOG"
		if m.server.InMemory() || m.server.Install().Version.Major < 15 {
			want = "FILE_COPY"
		}
		if got := m.Strategy(); got != want {
			t.Errorf("Strategy() in memory %v = %s, want %s", m.server.InMemory(), got, want)
		}
		if _, err := m.Create(t.Context(), "one", m.template); err != nil {
			t.Fatal(err)
		}
		said := m.server.LogOf(0, 1<<20, "CREATE DATABASE")
		if got := strings.Contains(said, "STRATEGY FILE_COPY"); said == "" || got != (want == "FILE_COPY" && m.server.Install().Version.Major >= 15) {
			t.Errorf("in memory %v the server was told %q", m.server.InMemory(), said)
		}
		var id int
		if err := m.mustConnect(t, golden.Role, "one").QueryRow(t.Context(), "SELECT id FROM t").Scan(&id); err != nil || id != 1 {
			t.Errorf("in memory %v the clone has row %d, %v; want 1", m.server.InMemory(), id, err)
		}
	}
}

// TestFullMemory fills memory with databases, and goes on on disk.
func TestFullMemory(t *testing.T) {
	t.Parallel()
	m := mustMake(t, oneRow(), func(c *postgres.Config) { c.StorageLimit = 190 << 20 })
	if !m.server.InMemory() {
		t.Skip("this machine has no memory to spare")
	}
	const find = "SELECT concat_ws(' ', spcname, id) FROM pg_database d JOIN pg_tablespace s ON s.oid = d.dattablespace, t WHERE datname = current_database()"
	seen := map[string]int{}
	for i := range 16 {
		name := fmt.Sprint("n", i)
		d, err := m.Create(t.Context(), name, m.template)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Drop(context.Background(), name, d.OID)
		var where string
		if err := m.mustConnect(t, golden.Role, name).QueryRow(t.Context(), find).Scan(&where); err != nil {
			t.Fatal(err)
		}
		seen[where]++
	}
	if len(seen) != 2 || seen["pg_default 1"] == 0 || seen["pgcell_spare 1"] == 0 {
		t.Errorf("databases are in, with row: %v; want some in memory and some on disk", seen)
	}
	const want = "memory for cells is full: further ones are made on disk, in "
	if len(m.warnings) != 1 || !strings.HasPrefix(m.warnings[0], want) {
		t.Errorf("warnings %q, want one: %s", m.warnings, want)
	}
}

// TestRenamed has the dead names of databases vacuumed away after 500.
func TestRenamed(t *testing.T) {
	t.Parallel()
	m := mustMake(t, oneRow(), nil)
	const vacuums = "SELECT pg_stat_get_vacuum_count('pg_database'::regclass)::text"
	before := m.mustShow(t, vacuums)
	for range 499 {
		m.Renamed(t.Context())
	}
	if got := m.mustShow(t, vacuums); got != before {
		t.Errorf("after 499 names %s vacuums, want %s", got, before)
	}
	m.Renamed(t.Context())
	for deadline := time.Now().Add(time.Minute); m.mustShow(t, vacuums) == before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after 500 names %s vacuums still", before)
		}
	}
}

// TestRestoreRoles takes back what a test gave to a role, and leaves what the template gave.
func TestRestoreRoles(t *testing.T) {
	t.Parallel()
	r := oneRow()
	r.Migrations = append(r.Migrations, golden.Script{Name: "u.sql", SQL: "ALTER ROLE CURRENT_USER SET search_path = app, public"})
	m := mustMake(t, r, nil)
	if _, err := m.Create(t.Context(), "one", m.template); err != nil {
		t.Fatal(err)
	}
	mustExec(t, m.mustConnect(t, golden.Role, "one"), "ALTER ROLE pgcell SET search_path = other", "ALTER ROLE pgcell SET work_mem = '1MB'")
	for _, want := range []bool{true, false} {
		if restored, err := m.RestoreRoles(t.Context()); err != nil || restored != want {
			t.Errorf("RestoreRoles() = %v, %v; want %v", restored, err, want)
		}
		const find = "SELECT string_agg(concat_ws(' ', setrole::regrole, setdatabase, setconfig), '; ') FROM pg_db_role_setting"
		if got, want := m.mustShow(t, find), `pgcell 0 {"search_path=app, public"}`; got != want {
			t.Errorf("roles have %s, want %s", got, want)
		}
	}
}

// TestDropStrays drops what tests made, and nothing where they may not make databases.
func TestDropStrays(t *testing.T) {
	t.Parallel()
	for role, want := range map[string]string{"pgcell CREATEDB": "one", "other CREATEDB": "app, copy \"x\", master, one"} {
		r := oneRow()
		r.Roles = []string{role}
		m := mustMake(t, r, nil)
		if _, err := m.Create(t.Context(), "one", m.template); err != nil {
			t.Fatal(err)
		}
		mustExec(t, m.mustConnect(t, golden.Superuser, "postgres"),
			"CREATE DATABASE app", "CREATE DATABASE master IS_TEMPLATE true", `CREATE DATABASE "copy ""x""" TEMPLATE master`)
		m.mustConnect(t, golden.Superuser, "app") // stays
		if err := m.DropStrays(t.Context()); err != nil {
			t.Error(err)
		}
		if got := m.databases(t, "one", "app", "master", `copy "x"`); got != want {
			t.Errorf("with role %s databases %s are left, want %s", role, got, want)
		}
		if got := m.databases(t, m.template, "postgres", "template1"); strings.Count(got, ",") != 2 {
			t.Errorf("with role %s the cluster's own databases are %s", role, got)
		}
	}
}
