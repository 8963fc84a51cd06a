package golden_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/migrations"
	"github.com/pgcell/pgcell/tools/internal/psql"
)

// mustScripts gives the scripts of a folder.
func mustScripts(t *testing.T, folder map[string]string) []golden.Script {
	t.Helper()
	files := fstest.MapFS{}
	for name, sql := range folder {
		files[name] = &fstest.MapFile{Data: []byte(sql)}
	}
	scripts, err := migrations.FromFS(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	return scripts
}

// What tools do around the text of a migration shows in the template.
func TestFolders(t *testing.T) {
	t.Parallel()
	const schemaOfT = "(SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = 't' AND relkind = 'r')"
	for name, c := range map[string]struct {
		folder map[string]string
		// is an expression of SQL that is true of the template.
		is string
	}{
		"numbers that depend on each other": {map[string]string{
			"1_init.up.sql":   "CREATE TABLE account (id int PRIMARY KEY);",
			"2_email.up.sql":  "ALTER TABLE account ADD COLUMN email text;",
			"10_index.up.sql": "CREATE INDEX ON account (email);",
		}, "(SELECT count(*) = 2 FROM pg_indexes WHERE tablename = 'account')"},
		"numbers, of which the last counts": {map[string]string{
			"1_init.up.sql":  "CREATE TABLE account (id int PRIMARY KEY);",
			"2_rate.up.sql":  "CREATE OR REPLACE FUNCTION rate() RETURNS int LANGUAGE sql AS 'SELECT 7';",
			"10_rate.up.sql": "CREATE OR REPLACE FUNCTION rate() RETURNS int LANGUAGE sql AS 'SELECT 9';",
		}, "rate() = 9"},
		"folders with a way back": {map[string]string{
			"1_init/down.sql":   "DROP TABLE profile;",
			"1_init/up.sql":     "CREATE TABLE profile (id int PRIMARY KEY, name text);\nINSERT INTO profile VALUES (1, 'Ada');",
			"2_rename/down.sql": "DELETE FROM profile WHERE name = 'Ada';\nDROP TABLE IF EXISTS badge;",
			"2_rename/up.sql":   "CREATE TABLE IF NOT EXISTS badge (id int);",
		}, "(SELECT name = 'Ada' FROM profile) AND to_regclass('badge') IS NOT NULL"},
		"marks": {map[string]string{
			"001_init.sql": "-- Up\nCREATE TABLE account (id int PRIMARY KEY);\n-- Down\nDROP TABLE account;\n",
		}, "to_regclass('account') IS NOT NULL"},
		"node-pg-migrate": {map[string]string{
			"001_init.sql": "-- Up Migration\nCREATE TABLE account (id int PRIMARY KEY);\n-- Down Migration\nDROP TABLE account;\n",
		}, "to_regclass('account') IS NOT NULL"},
		"one transaction": {map[string]string{
			"1.sql": "-- migrate:up\nCREATE SCHEMA app; SET LOCAL search_path = app; CREATE TABLE t ()\n-- migrate:down\nDROP TABLE t;",
		}, schemaOfT + " = 'app'"},
		"no transaction": {map[string]string{
			"1.sql": "-- +goose Up\nCREATE TABLE t (a int);\n-- +goose Down\n",
			"2.sql": "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY i ON t (a);\n-- +goose Down\nDROP INDEX i;\n",
		}, "to_regclass('i') IS NOT NULL"},
		"one session": {map[string]string{
			"1.sql": "-- +goose Up\nCREATE SCHEMA app; SET search_path = app;\n",
			"2.sql": "-- +goose Up\n-- +goose StatementBegin\nCREATE TABLE t ();\n-- +goose StatementEnd\n",
		}, schemaOfT + " = 'app'"},
		"a session for each file": {map[string]string{
			"1.sql": "CREATE SCHEMA app; SET search_path = app;", "2.sql": "CREATE TABLE t ();",
		}, schemaOfT + " = 'public'"},
		"rows that refer to each other": {map[string]string{
			"1.up.sql": "CREATE TABLE t (id int PRIMARY KEY, other int REFERENCES t DEFERRABLE INITIALLY DEFERRED);\n" +
				"INSERT INTO t VALUES (1, 2); INSERT INTO t VALUES (2, 1);",
		}, "(SELECT count(*) = 2 FROM t)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mustBuild(t, golden.Recipe{
				Migrations: mustScripts(t, c.folder),
				Seeds:      []golden.Script{{Name: "check.sql", SQL: "DO $check$ BEGIN ASSERT " + c.is + "; END $check$;"}},
			})
		})
	}
}

// What the end of a transaction finds has a place in the file, too.
func TestFailedCommit(t *testing.T) {
	t.Parallel()
	scripts := mustScripts(t, map[string]string{
		"1.up.sql": "CREATE TABLE t (id int PRIMARY KEY, other int REFERENCES t DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO t VALUES (1, 2);\n\n",
	})
	err := golden.BuildFile(t.Context(), t.TempDir()+"/x.pgcell", mustInstall(t), golden.Recipe{Migrations: scripts}, golden.Options{})
	var failed *psql.Error
	if !errors.As(err, &failed) || !strings.HasPrefix(failed.Error(), `1.up.sql:2: ERROR: insert or update on table "t" violates foreign key`) {
		t.Errorf("BuildFile = %v, want the last line of 1.up.sql", err)
	}
}
