package golden_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// onDatabase makes a script of statements on the database that it runs in, which they call %I.
func onDatabase(statements ...string) string {
	var all strings.Builder
	for _, sql := range statements {
		all.WriteString("DO $do$ BEGIN EXECUTE format($$" + sql + "$$, current_database()); END $do$;\n")
	}
	return all.String()
}

func TestGrants(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string][]string{
		"SELECT 1": {},
		onDatabase("GRANT CONNECT ON DATABASE %I TO reader"): {
			"REVOKE ALL ON DATABASE %s FROM PUBLIC", "GRANT CONNECT ON DATABASE %s TO PUBLIC", "GRANT CONNECT ON DATABASE %s TO reader",
			"GRANT TEMPORARY ON DATABASE %s TO PUBLIC",
		},
		onDatabase("REVOKE ALL ON DATABASE %I FROM PUBLIC", `GRANT CREATE ON DATABASE %I TO "The Writer" WITH GRANT OPTION`): {
			"REVOKE ALL ON DATABASE %s FROM PUBLIC", `GRANT CREATE ON DATABASE %s TO "The Writer" WITH GRANT OPTION`,
		},
	} {
		m, err := golden.ReadManifest(mustBuild(t, golden.Recipe{Migrations: script(`CREATE ROLE reader; CREATE ROLE "The Writer";` + sql)}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, m.Facts.Grants); diff != "" {
			t.Errorf("%s: grants (-want +got):\n%s", sql, diff)
		}
	}
}

func TestNamedDatabase(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{"GRANT CONNECT ON DATABASE app TO PUBLIC", "ALTER DATABASE app SET work_mem = '7MB'"} {
		err := golden.BuildFile(t.Context(), filepath.Join(t.TempDir(), "x"), mustInstall(t), golden.Recipe{Migrations: script(sql)}, golden.Options{})
		for _, want := range []string{`1.sql:1: ERROR: database "app" does not exist (SQLSTATE 3D000)`, "HINT: a template has a name of its own: ask for it, as in DO $$"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: Build = %v\nwant it to contain %q", sql, err, want)
			}
		}
	}
}

// TestAlterSystem has what a migration gives to its server hold for those of tests.
func TestAlterSystem(t *testing.T) {
	t.Parallel()
	_, clone := mustClone(t, golden.Recipe{
		Settings: map[string]string{"work_mem": "6MB"}, Migrations: script("ALTER SYSTEM SET work_mem = '7MB'"),
	})
	ensureValues(t, clone, map[string]string{"SHOW work_mem": "7MB"})
	err := golden.BuildFile(t.Context(), filepath.Join(t.TempDir(), "x"), mustInstall(t),
		golden.Recipe{Migrations: script("ALTER SYSTEM SET port = '1234'; ALTER SYSTEM SET listen_addresses = '*'")}, golden.Options{})
	const want = "a migration says ALTER SYSTEM SET listen_addresses, port, which pgcell sets for each server by itself; take that out of it"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Build = %v, want it to contain %q", err, want)
	}
}

// TestResetOfPublic has a test begin by making its schema anew, on PostgreSQL 14 too, in a clone and in an empty database.
func TestResetOfPublic(t *testing.T) {
	t.Parallel()
	_, clone := mustClone(t, golden.Recipe{Extensions: []string{"hstore"}, Migrations: script("CREATE TABLE t ()")})
	conn, err := pgx.Connect(t.Context(), strings.Replace(clone, "pgcell@/clone", "postgres@/postgres", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE empty OWNER pgcell TEMPLATE template0"); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{clone, strings.Replace(clone, "/clone", "/empty", 1)} {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
		for _, sql := range []string{"DROP SCHEMA public CASCADE", "CREATE SCHEMA public", "CREATE TABLE t ()"} {
			if _, err := conn.Exec(t.Context(), sql); err != nil {
				t.Errorf("%s: %v", sql, err)
			}
		}
	}
}
