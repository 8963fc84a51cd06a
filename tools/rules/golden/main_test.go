package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/migrations"
)

// mustSpec gives a specification for the machine's PostgreSQL, with files of the given contents as migrations.
func mustSpec(t *testing.T, migrations map[string]string) spec {
	t.Helper()
	install, err := binaries.Find(t.Context(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	s := spec{Label: "//db:template", Postgres: postgresSpec{BinDir: install.BinDir, Version: install.Version.String()}}
	dir := t.TempDir()
	for _, name := range []string{"1.sql", "1.down.sql", "2.sql"} {
		if text, ok := migrations[name]; ok {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			s.Migrations = append(s.Migrations, file{Path: path, Name: "db/" + name})
		}
	}
	return s
}

// runSpec runs the command on a specification and gives its exit code, what it said, and the path of its output.
func runSpec(t *testing.T, s spec) (code int, stderr, out string) {
	t.Helper()
	dir := t.TempDir()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	path, out := filepath.Join(dir, "spec.json"), filepath.Join(dir, "x.pgcell")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	code = run([]string{"build", "--spec", path, "--out", out}, &said)
	return code, said.String(), out
}

func TestBuild(t *testing.T) {
	t.Parallel()
	s := mustSpec(t, map[string]string{"1.sql": "CREATE TABLE a (id int);", "1.down.sql": "DROP TABLE a;", "2.sql": "INSERT INTO a VALUES (1);"})
	script := filepath.Join(t.TempDir(), "migrate")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nset -eu\necho \"$1 $EXTRA $PGUSER $PGPORT\" > \"$0.said\"; test -S \"$PGHOST/.s.PGSQL.5432\"\n"+
		"case $DATABASE_URL in *\"$PGDATABASE\"*) ;; *) exit 1;; esac\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.Migrator = &migrator{Path: script, Args: []string{"up"}, Env: map[string]string{"EXTRA": "more"}}
	code, stderr, out := runSpec(t, s)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	m, err := golden.ReadManifest(out)
	if err != nil || !strings.HasPrefix(m.Template, "template_") {
		t.Errorf("manifest %+v, %v", m, err)
	}
	said, _ := os.ReadFile(script + ".said")
	if diff := cmp.Diff("up more pgcell 5432\n", string(said)); diff != "" {
		t.Errorf("the migrator saw (-want +got):\n%s", diff)
	}
	// The same from another directory has the same name, with the toolchain's directory in the runfiles as well.
	again := mustSpec(t, map[string]string{"1.sql": "CREATE TABLE a (id int);", "2.sql": "INSERT INTO a VALUES (1);"})
	again.Migrator = s.Migrator
	again.Postgres.RunfilesBinDir = "repo/bin"
	if code, stderr, out = runSpec(t, again); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	other, err := golden.ReadManifest(out)
	if err != nil || other.Template != m.Template || other.RunfilesBinDir != "repo/bin" || other.BinDir != "" {
		t.Errorf("manifest %+v, %v; want template %s, and the runfiles' directory alone", other, err, m.Template)
	}
}

func TestBuildNotes(t *testing.T) {
	t.Parallel()
	s := mustSpec(t, map[string]string{"1.sql": "SELECT 1;\nCREATE SCHEMA public;", "2.sql": "SELECT 2"})
	code, stderr, _ := runSpec(t, s)
	want := "pgcell: //db:template: db/1.sql:2: passed over CREATE SCHEMA public: the schema exists\n"
	if diff := cmp.Diff(want, stderr); code != 0 || diff != "" {
		t.Errorf("exit %d, stderr (-want +got):\n%s", code, diff)
	}
}

// go test and Bazel make the same template of a folder.
func TestSameScriptsAsGoTest(t *testing.T) {
	t.Parallel()
	for name, folder := range map[string]map[string]string{
		"golang-migrate": {"1_a.up.sql": "SELECT 1;", "1_a.down.sql": "SELECT -1;", "2_b.up.sql": "SELECT 2;", "10_c.up.sql": "SELECT 10;"},
		"goose":          {"1_a.sql": "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT -1;\n", "10_b.sql": "-- +goose NO TRANSACTION\n-- +goose Up\n"},
		"Hasura":         {"1_a/up.sql": "SELECT 1;", "1_a/down.sql": "SELECT -1;", "10_c/up.sql": "SELECT 10;", "9_b/up.sql": "SELECT 9;"},
		"Flyway":         {"V1.10__b.sql": "SELECT 2;", "V1.9__a.sql": "SELECT 1;", "R__c.sql": "SELECT 3;", "U1.9__a.sql": "SELECT -1;"},
		"open":           {"a.sql": "", "b.sql": ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s spec
			dir, files := t.TempDir(), fstest.MapFS{}
			for _, name := range slices.Sorted(maps.Keys(folder)) { // as glob
				path := filepath.Join(dir, strings.ReplaceAll(name, "/", "+"))
				if err := os.WriteFile(path, []byte(folder[name]), 0o600); err != nil {
					t.Fatal(err)
				}
				s.Migrations = append(s.Migrations, file{Path: path, Name: "db/" + name})
				files["db/"+name] = &fstest.MapFile{Data: []byte(folder[name])}
			}
			want, wantErr := migrations.FromFS(files, nil)
			got, err := s.recipe()
			if diff := cmp.Diff(want, got.Migrations); diff != "" || fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Errorf("Bazel: %v, go test: %v (-go test +Bazel):\n%s", err, wantErr, diff)
			}
			if s.Order = "given"; name == "open" {
				if _, err := s.recipe(); err != nil {
					t.Errorf("with order = \"given\": %v", err)
				}
			}
		})
	}
}

func TestBuildErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*spec)
		want   []string
	}{
		"migration": {func(s *spec) { os.WriteFile(s.Migrations[1].Path, []byte("SELECT 1;\nDROP TABLE x;"), 0o600) },
			[]string{"pgcell: //db:template: migration failed\n", `db/2.sql:2: ERROR: table "x" does not exist (SQLSTATE 42P01)`}},
		"unreadable": {func(s *spec) { os.Remove(s.Migrations[0].Path) },
			[]string{"pgcell: //db:template: read migration db/1.sql: ", "no such file or directory"}},
		"version": {func(s *spec) { s.Postgres.Version = "13.1" },
			[]string{"//db:template: PostgreSQL in ", " and its toolchain says 13.1; run bazel fetch --force"}},
		"no postgres": {func(s *spec) { s.Postgres.BinDir = "absent" },
			[]string{"//db:template: inspect PostgreSQL in", "it holds no executable initdb"}},
		"migrator": {func(s *spec) {
			s.Migrator = &migrator{Path: "/bin/sh", Args: []string{"-c", "echo out of order; exit 3"}}
		}, []string{"run migrator: /bin/sh: exit status 3\nout of order"}},
		"no migrator": {func(s *spec) { s.Migrator = &migrator{Path: "absent"} }, []string{"read migrator's file migrator: open absent"}},
		"seed":        {func(s *spec) { s.Seeds = []file{{Path: "absent", Name: "db/seed.sql"}} }, []string{"read seed db/seed.sql: open absent"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustSpec(t, map[string]string{"1.sql": "SELECT 1", "2.sql": "SELECT 2"})
			c.change(&s)
			code, stderr, out := runSpec(t, s)
			if code != 1 {
				t.Errorf("exit %d, want 1", code)
			}
			for _, want := range c.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("said %q, want it to contain %q", stderr, want)
				}
			}
			if _, err := os.Stat(out); !os.IsNotExist(err) {
				t.Errorf("the output is there after an error (%v)", err)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"unpack"}, {"build"}, {"build", "--spec", "x"}, {"build", "--spec", "x", "--out", "y", "z"}, {"build", "--no"}} {
		var said bytes.Buffer
		if code := run(args, &said); code != 2 || !strings.Contains(said.String(), usage) {
			t.Errorf("run(%q) = %d, %q; want 2 and the usage", args, code, said.String())
		}
	}
	var said bytes.Buffer
	if code := run([]string{"build", "--spec", "absent.json", "--out", "y"}, &said); code != 1 || !strings.Contains(said.String(), "read specification: open absent.json") {
		t.Errorf("run on an absent specification = %d, %q", code, said.String())
	}
}
