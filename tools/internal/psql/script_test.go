package psql_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/migrations"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/psql"
)

// databases makes databases on a server of its own.
type databases struct {
	server *postgres.Server
	n      atomic.Int32
}

func mustDatabases(t testing.TB) *databases {
	t.Helper()
	install, err := binaries.Find(t.Context(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	server, err := postgres.Start(t.Context(), postgres.Config{Install: install, DataDir: filepath.Join(t.TempDir(), "data")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return &databases{server: server}
}

// mustNew connects to a new database as a superuser, as scripts are.
func (d *databases) mustNew(t testing.TB) *pgx.Conn {
	t.Helper()
	name := fmt.Sprintf("db%d", d.n.Add(1))
	if _, err := query(t, d.server.URL("postgres", "postgres"), "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil && err != pgx.ErrNoRows {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), d.server.URL("postgres", name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// run runs a script, and gives its notes.
func run(ctx context.Context, conn *pgx.Conn, one migrations.Script) (notes []string, err error) {
	err = psql.Run(ctx, conn, one, func(note string) { notes = append(notes, note) })
	return notes, err
}

// query gives a single text value.
func query(t testing.TB, url, sql string) (string, error) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	var got string
	err = conn.QueryRow(t.Context(), sql).Scan(&got)
	return got, err
}

const dumpHeader = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\n"

// TestScripts holds what scripts for psql and of pg_dump do: want is the first value of check.
func TestScripts(t *testing.T) {
	t.Parallel()
	dbs := mustDatabases(t)
	for _, c := range []struct {
		name, sql, check, want string
		notes                  []string
	}{
		{name: "rule with two actions", sql: "CREATE TABLE item (id int, seen int); CREATE TABLE journal (id int);\n" +
			"CREATE RULE item_log AS ON INSERT TO item DO ALSO (\n INSERT INTO journal VALUES (NEW.id);\n UPDATE item SET seen = 1 WHERE id = NEW.id;\n);\n" +
			"INSERT INTO item VALUES (7);",
			check: "SELECT id || ',' || (SELECT seen FROM item) FROM journal", want: "7,1"},
		{name: "atomic bodies", sql: "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;\n" +
			"CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS 'SELECT 3'; SELECT 1;",
			check: "SELECT f() || ',' || begin()", want: "2,3"},
		{name: "SET of a newer server in a dump", sql: dumpHeader + "SET statement_timeout = 0;\nSET newer_timeout = 0;\nSET role = 'none';\nSET my.own = 1;\nCREATE TABLE a ();",
			check: "SELECT to_regclass('a')::text", want: "a", notes: []string{`m.sql:8: passed over SET newer_timeout = 0: PostgreSQL `}},
		{name: "schema public", sql: "CREATE SCHEMA public;\nCOMMENT ON SCHEMA public IS 'standard';\nDROP SCHEMA public;\nCREATE SCHEMA public;",
			check: "SELECT (obj_description('public'::regnamespace) IS NULL)::text", want: "true", notes: []string{"m.sql:1: passed over CREATE SCHEMA public: the schema exists"}},
		{name: "roles of a cluster", sql: "--\n-- PostgreSQL database cluster dump\n--\nCREATE ROLE postgres;\nALTER ROLE postgres WITH SUPERUSER LOGIN;\nCREATE ROLE dumped_role;\n" +
			"ALTER ROLE dumped_role WITH NOSUPERUSER NOLOGIN PASSWORD 'x';",
			check: "SELECT count(*)::text FROM pg_roles WHERE rolname = 'dumped_role'", want: "1", notes: []string{"m.sql:4: passed over CREATE ROLE postgres: the role exists"}},
		{name: "comment on plpgsql", sql: "CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog;\n\nCOMMENT ON EXTENSION plpgsql IS 'mine';",
			check: "SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = 'plpgsql'", want: "mine"},
		{name: "commands that change what psql shows", sql: "\\set ON_ERROR_STOP on\n\\set QUIET 1 \\timing off\n\\echo 'it''s;' \\\\ CREATE TABLE a ();\n\\pset pager off\n\\qecho x\n\\dt *\n\\x",
			check: "SELECT to_regclass('a')::text", want: "a"},
		{name: "connect", sql: "SET search_path = pg_catalog;\n\\connect -\n\\c - -\nCREATE TABLE a ();", check: "SELECT to_regclass('public.a')::text", want: "a"},
		{name: "quit", sql: "CREATE TABLE a ();\n\\q\nDROP TABLE a;", check: "SELECT to_regclass('a')::text", want: "a"},
		{name: "encoding", sql: "\\encoding LATIN1\nCREATE TABLE a AS SELECT 'caf\xe9' AS x;\n\\encoding UTF8\nINSERT INTO a VALUES ('é');",
			check: "SELECT string_agg(x, ',') FROM a", want: "café,é"},
		{name: "dump in Latin-1", sql: dumpHeader + "SET client_encoding = 'LATIN1';\nCREATE TABLE a (x text);\nCOPY a FROM stdin;\nf\xfcr\n\\.\n", check: "SELECT x FROM a", want: "für"},
		{name: "bytes in a comment", sql: "-- f\xfcr\nCREATE TABLE a ();", check: "SELECT to_regclass('a')::text", want: "a"},
		{name: "copy", sql: "BEGIN;\nCREATE TABLE a (i int, x text);\nCOPY a FROM stdin;\n1\t\\N\n2\t;'\\t\"$$\\\\\n3\t\\\\.\n\\.\n\nCOPY a (i) FROM STDIN WITH (FORMAT csv);\n4\n\\.\nCOMMIT;",
			check: "SELECT string_agg(i || coalesce(x, '-'), ',' ORDER BY i) FROM a", want: "1-,2;'\t\"$$\\,3\\.,4-"},
		{name: "carriage returns", sql: strings.ReplaceAll(dumpHeader+"SET newer_timeout = 0;\nCREATE TABLE a (x text);\nCOPY a FROM stdin;\nb\n\\.\n", "\n", "\r\n"),
			check: "SELECT x FROM a", want: "b", notes: []string{"m.sql:7: passed over SET newer_timeout = 0: "}},
		{name: "array slices", sql: "CREATE TABLE a AS SELECT (ARRAY[1, 2, 3])[n:m] AS x FROM (VALUES (2, 3)) v (n, m);", check: "SELECT x::text FROM a", want: "{2,3}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn := dbs.mustNew(t)
			notes, err := run(t.Context(), conn, migrations.Script{Name: "m.sql", SQL: c.sql})
			if err != nil {
				t.Fatal(err)
			}
			if len(notes) != len(c.notes) {
				t.Errorf("notes %q, want %q", notes, c.notes)
			}
			for i, want := range c.notes[:min(len(notes), len(c.notes))] {
				if !strings.HasPrefix(notes[i], want) {
					t.Errorf("note %q, want it to begin with %q", notes[i], want)
				}
			}
			got, err := query(t, dbs.server.URL("postgres", conn.Config().Database), c.check)
			if err != nil || got != c.want {
				t.Errorf("%s = %q, %v, want %q", c.check, got, err, c.want)
			}
		})
	}
}

func TestScriptErrors(t *testing.T) {
	t.Parallel()
	dbs := mustDatabases(t)
	const runPsql = "run psql yourself (attribute migrator of pg_template; Config.Migrate in Go)"
	variable := "\n    HINT: a name behind a colon is a variable of psql, which pgcell does not have; write its value, or " + runPsql
	command := func(name string) string {
		return name + " is a command of psql, not SQL, and pgcell does not do it; write it as SQL, or " + runPsql
	}
	utf16 := func(text string) string {
		return "\xff\xfe" + strings.Join(strings.Split(text, ""), "\x00") + "\x00"
	}
	for _, c := range []struct{ name, sql, want string }{
		{"multi-byte text before", "SELECT 'äöü',\n'é' FROM\n  absent;", `m.sql:3: ERROR: relation "absent" does not exist (SQLSTATE 42P01)`},
		{"line behind data", "CREATE TABLE a (x int);\nCOPY a FROM stdin;\n1\n\\.\nSELECT;\nSELEC;", `m.sql:6: ERROR: syntax error at or near "SELEC" (SQLSTATE 42601)`},
		{"line of data", "CREATE TABLE a (x int);\n\nCOPY a\nFROM stdin;\n1\nx\n\\.\n", "m.sql:6: ERROR: invalid input syntax for type integer: \"x\" (SQLSTATE 22P02)\n    CONTEXT: COPY a, line 2, column x: \"x\""},
		{"SET outside a dump", "SET newer_timeout = 0;", `m.sql:1: ERROR: unrecognized configuration parameter "newer_timeout" (SQLSTATE 42704)`},
		{"gexec", "SELECT 'x'\n\\gexec\n", "m.sql:2: " + command(`\gexec`)},
		{"if", "\\if true\n\\endif\n", "m.sql:1: " + command(`\if`)},
		{"copy", "\n\\copy t FROM 'x.csv'\n", "m.sql:2: " + command(`\copy`)},
		{"set of a variable", "\\set app 1\n", "m.sql:1: " + command(`\set`)},
		{"AUTOCOMMIT", "\\set AUTOCOMMIT off\n", "m.sql:1: " + command(`\set`)},
		{"command inside a statement", "SELECT 1\n\\echo x\n;", "m.sql:2: " + command(`\echo`)},
		{"variable", "SELECT 1;\nSELECT\n :app;", "m.sql:3: ERROR: syntax error at or near \":\" (SQLSTATE 42601)" + variable},
		{"quoted variable", "SELECT :'app';", "m.sql:1: ERROR: syntax error at or near \":\" (SQLSTATE 42601)" + variable},
		{"variable as a name", "CREATE ROLE :\"app\";", "m.sql:1: ERROR: syntax error at or near \":\" (SQLSTATE 42601)" + variable},
		{"another database", "CREATE TABLE a ();\n\\connect shop\n", `m.sql:2: \connect shop leaves the template's database, the only one there is; dump a single database, ` +
			"by pg_dump without --create, or take the line out, or " + runPsql},
		{"another role", "\\c - app\n", `m.sql:1: \connect - app leaves the template's database, the only one there is; dump a single database, ` +
			"by pg_dump without --create, or take the line out, or " + runPsql},
		{"absent include", "\\i x.sql\n", `m.sql:1: \i x.sql: no migration or seed has this name; add the file to them (it then runs where it is included, ` +
			"and not by itself), or " + runPsql},
		{"UTF-16", utf16("SELECT 1;"), "m.sql:1: the file looks like UTF-16, and PostgreSQL reads UTF-8; convert it: iconv -f UTF-16 -t UTF-8 m.sql > new.sql"},
		{"UTF-16 without a mark", utf16("SELECT 1;")[2:], "m.sql:1: the file looks like UTF-16LE, and PostgreSQL reads UTF-8; convert it: iconv -f UTF-16LE -t UTF-8 m.sql > new.sql"},
		{"UTF-32", "\xff\xfe\x00\x00S\x00\x00\x00", "m.sql:1: the file looks like UTF-32, and PostgreSQL reads UTF-8; convert it: iconv -f UTF-32 -t UTF-8 m.sql > new.sql"},
		{"zero byte", "SELECT 1;\nPGDMP\x00", "m.sql:2: the file holds a zero byte, at offset 15, so it is no SQL script; dump in plain format (pg_dump -Fp)"},
		{"Latin-1", "SELECT 'é';\nSELECT 1,\n'f\xfcr';", "m.sql:3: the byte 0xfc is not UTF-8; the file looks like ISO-8859-1: convert it " +
			"(iconv -f ISO-8859-1 -t UTF-8 m.sql > new.sql), or begin it with SET client_encoding = 'LATIN1'"},
		{"Windows", "CREATE TABLE a (x text);\nCOPY a FROM stdin;\na\n\x93b\x94\n\\.\n", "m.sql:4: the byte 0x93 is not UTF-8; the file looks like WINDOWS-1252: convert it " +
			"(iconv -f WINDOWS-1252 -t UTF-8 m.sql > new.sql), or begin it with SET client_encoding = 'WIN1252'"},
		{"open transaction", "BEGIN;\nSELECT 1;\nCOMMIT;\nSELECT 1;\nBEGIN;\nSELECT 2;\n\n", "m.sql:5: the transaction that begins here is still open at the end of the file; add COMMIT"},
		{"open quote", "SELECT 1;\nSELECT\n 'a;\n\n", "m.sql:3: the quoted string that begins here with ' is not closed"},
		{"open comment", "SELECT 1;\n/* a\n\n", "m.sql:2: the comment that begins here with /* is not closed"},
		{"open dollars", "DO\n$body$ a $b$;\n\n", "m.sql:2: the dollar-quoted string that begins here with $body$ is not closed"},
		{"SQL behind COPY", "COPY a FROM stdin; SELECT 1;\n1\n\\.\n", "m.sql:1: more SQL follows COPY ... FROM STDIN on the same line, before its data; put it on a line behind the data"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := run(t.Context(), dbs.mustNew(t), migrations.Script{Name: "m.sql", SQL: c.sql})
			if err == nil {
				t.Fatal("the script runs")
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestScriptIncludes(t *testing.T) {
	t.Parallel()
	dbs := mustDatabases(t)
	conn := dbs.mustNew(t)
	script := migrations.Script{Name: "db/main.sql", SQL: "CREATE TABLE a (x text);\n\\ir part/one.sql\n\\i part/two.sql\n\\include db/part/one.sql\n", Includes: []migrations.Script{
		{Name: "db/part/one.sql", SQL: "INSERT INTO a VALUES ('1');"},
		{Name: "other/db/part/one.sql", SQL: "INSERT INTO a VALUES ('other');"},
		{Name: "db/part/two.sql", SQL: "\\ir one.sql\nINSERT INTO a VALUES ('2');", Includes: []migrations.Script{{Name: "db/part/one.sql", SQL: "INSERT INTO a VALUES ('in 2');"}}},
	}}
	if _, err := run(t.Context(), conn, script); err != nil {
		t.Fatal(err)
	}
	got, err := query(t, dbs.server.URL("postgres", conn.Config().Database), "SELECT string_agg(x, ',') FROM a")
	if want := "1,in 2,2,1"; got != want || err != nil {
		t.Errorf("rows %q, %v, want %q", got, err, want)
	}
	script.Includes[2].SQL = "\n\\ir one.sql\nSELECT absent;"
	_, err = run(t.Context(), dbs.mustNew(t), script)
	if want := "db/part/two.sql:3: ERROR: column \"absent\" does not exist (SQLSTATE 42703)"; err == nil || err.Error() != want {
		t.Errorf("error in an included file: %v, want %s", err, want)
	}
}

// TestScriptCases runs the small inputs in testdata whose names say what was wrong with them.
func TestScriptCases(t *testing.T) {
	t.Parallel()
	dbs := mustDatabases(t)
	files, err := filepath.Glob("testdata/scripts/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("files %q, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			sql, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := run(t.Context(), dbs.mustNew(t), migrations.Script{Name: file, SQL: string(sql)}); err != nil {
				t.Error(err)
			}
		})
	}
}
