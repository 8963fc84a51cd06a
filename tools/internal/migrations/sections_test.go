package migrations_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/migrations"
)

// Each tool's own documented form. What is left has the lines that it has in the file.
func TestSections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, sql, want string
		transaction     bool
	}{
		{"plain", "CREATE TABLE t ();\n-- up to here\n-- down payments\nSELECT 1;\n", "CREATE TABLE t ();\n-- up to here\n-- down payments\nSELECT 1;\n", false},
		{"goose", "-- +goose Up\nCREATE TABLE t ();\n\n-- +goose Down\nDROP TABLE t;\n", "-- +goose Up\nCREATE TABLE t ();\n", true},
		{"goose in other letters", "--+goose up\r\nCREATE TABLE t ();\r\n--  +goose DOWN\r\n", "", true},
		{"goose's statements", "-- +goose Up\n-- +goose StatementBegin\nSELECT 1; SELECT 2;\n-- +goose StatementEnd\n-- +goose Down\n",
			"-- +goose Up\n-- +goose StatementBegin\nSELECT 1; SELECT 2;\n-- +goose StatementEnd\n", true},
		{"goose without transaction", "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY ON t (a);\n-- +goose Down\n",
			"-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY ON t (a);\n", false},
		{"goose with up alone", "-- a licence\n\n-- +goose Up\nSELECT 1;\n", "-- a licence\n\n-- +goose Up\nSELECT 1;\n", true},
		{"goose with a byte order mark", "\ufeff-- +goose Up\nSELECT 1;\n-- +goose Down\nx\n", "\ufeff-- +goose Up\nSELECT 1;\n", true},
		{"sql-migrate", "-- +migrate Up\nSELECT 1;\n-- +migrate Down\nSELECT 2;\n-- +migrate Up\nSELECT 3;\n", "-- +migrate Up\nSELECT 1;\n\n\n-- +migrate Up\nSELECT 3;\n", true},
		{"sql-migrate without transaction", "-- +migrate Up notransaction\nSELECT 1;\n-- +migrate Down\n", "-- +migrate Up notransaction\nSELECT 1;\n", false},
		{"dbmate", "-- migrate:up\nSELECT 1\n-- migrate:down\nSELECT 2\n", "-- migrate:up\nSELECT 1\n", true},
		{"dbmate without transaction", "--migrate:up  transaction:false\nSELECT 1\n-- migrate:down transaction:false\n", "--migrate:up  transaction:false\nSELECT 1\n", false},
		{"tern", "create table t();\n\n---- create above / drop below ----\n\ndrop table t;\n", "create table t();\n", true},
		{"tern without transaction", "---- tern: disable-tx ----\nselect 1;\n---- create above / drop below ----\n", "---- tern: disable-tx ----\nselect 1;\n", false},
		{"rambler", "-- rambler up\nSELECT 1;\n-- rambler down\nSELECT 2;\n-- rambler up\nSELECT 3;\n", "-- rambler up\nSELECT 1;\n\n\n-- rambler up\nSELECT 3;\n", false},
		{"node-pg-migrate", "-- Up Migration\nSELECT 1;\n-- Down Migration\nSELECT 2;\n", "-- Up Migration\nSELECT 1;\n", true},
		{"node-pg-migrate backwards", "  ----- down   migration\nSELECT 2;\n--up migration for users\nSELECT 1;\n", "\n\n--up migration for users\nSELECT 1;\n", true},
		{"marks", "-- Up\nSELECT 1;\n-- Down\nSELECT 2;\n", "-- Up\nSELECT 1;\n", true},
		{"marks in a frame", "-----\n-- UP\n-----\nSELECT 1;\n-----\n-- down:\n-----\nSELECT 2;\n", "-----\n-- UP\n-----\nSELECT 1;\n-----\n", true},
		{"marks of Play", "-- !Ups\nSELECT 1;\n-- !Downs\nSELECT 2;\n", "-- !Ups\nSELECT 1;\n", true},
		{"marks, and a statement that stands alone", "-- Up\nSELECT 1;\nCREATE UNIQUE INDEX CONCURRENTLY i ON t (a);\n-- Down\n", "-- Up\nSELECT 1;\nCREATE UNIQUE INDEX CONCURRENTLY i ON t (a);\n", false},
		{"MyBatis", "-- // First migration.\nSELECT 1;\n--//@UNDO\nSELECT 2;\n", "-- // First migration.\nSELECT 1;\n", true},
		{"MyBatis with spaces", "SELECT 1;\n -- //  @undo\nSELECT 2;\n", "SELECT 1;\n", true},
		{"within quotes", "INSERT INTO t VALUES ('\n-- Down\n');\nDO $$\n-- +goose Down\n$$;\n/*\n-- migrate:down\n*/\n",
			"INSERT INTO t VALUES ('\n-- Down\n');\nDO $$\n-- +goose Down\n$$;\n/*\n-- migrate:down\n*/\n", false},
		{"within data", "COPY t FROM stdin;\n-- Down\n---- create above / drop below ----\n\\.\nSELECT 1;\n", "COPY t FROM stdin;\n-- Down\n---- create above / drop below ----\n\\.\nSELECT 1;\n", false},
		{"within a list", "CREATE TYPE way AS ENUM (\n-- up\n'up',\n-- down\n'down');\n", "CREATE TYPE way AS ENUM (\n-- up\n'up',\n-- down\n'down');\n", false},
		{"behind a command of psql", "\\echo it's\n-- Up\nSELECT 1;\n-- Down\n", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := migrations.Scripts([]migrations.File{{Name: "001_x.sql", SQL: c.sql}}, migrations.Options{})
			if c.name == "behind a command of psql" {
				if err == nil || !strings.Contains(err.Error(), "001_x.sql:2: the statements above this line belong to neither way") {
					t.Errorf("Scripts = %v, %v", got, err)
				}
				return
			}
			if c.want == "" {
				c.want = c.sql[:strings.Index(c.sql, "\r\n--  ")] + "\r\n"
			}
			want := []migrations.Script{{Name: "001_x.sql", SQL: c.want, Transaction: c.transaction}}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("Scripts: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestSectionsRefused(t *testing.T) {
	t.Parallel()
	const tool = "; let its own tool run it (attribute migrator of pg_template, Config.Migrate in Go)"
	const mend = "; mend the line, or let its own tool run it (attribute migrator of pg_template, Config.Migrate in Go)"
	for _, c := range []struct{ sql, want string }{
		{"-- +goose Up\n-- +goose ENVSUB ON\nSELECT 1;\n", ":2: goose puts variables of the environment into this file" + mend},
		{" -- +goose Up\nSELECT 1;\n", ":1: goose does not read this line: it wants -- +goose at the very start" + mend},
		{"-- +goose Up\nSELECT 1;\n-- +goose Backwards\n", ":3: goose knows no annotation Backwards" + mend},
		{"-- +goose Up\nSELECT 1;\n-- +GOOSE DOWN\n", ":3: goose does not read this line: it wants -- +goose at the very start" + mend},
		{"-- +goose Down\nSELECT 1;\n", ":1: a way back may begin there, but no line says where the way up begins; mark it, reword the comment if it is none, or let"},
		{"-- +goose Down\nSELECT 1;\n-- +goose Up\nSELECT 2;\n", ":1: the way down comes first, which goose does not read; put the way up first"},
		{"-- +goose Up\n-- +goose Down\n-- +goose Up\n", ":3: this line begins a way a second time; keep one of each, or let"},
		{"-- +goose Up\n-- +goose Down\n-- +goose Down\n", ":3: this line begins a way a second time"},
		{"-- +goose NO TRANSACTION\nSELECT 1;\n", "001_x.sql: goose does not run a file without a way up; add one, or let"},
		{"-- +migrate up\nSELECT 1;\n-- +migrate down\n", ":1: sql-migrate does not read this line: it knows Up, Down, StatementBegin and StatementEnd, in these letters" + mend},
		{"--+migrate Up\nSELECT 1;\n", ":1: sql-migrate does not read this line: it wants -- +migrate at the very start" + mend},
		{"-- MIGRATE:UP\nSELECT 1;\n", ":1: dbmate does not read this line: it wants -- migrate:up or -- migrate:down at the very start, in small letters" + mend},
		{"SELECT 1;\n-- Create above / drop below --\n", ":2: tern does not read this line: it wants ---- create above / drop below ----" + mend},
		{"---- tern: disable tx ----\n", ":1: tern does not read this line: it wants ---- tern: disable-tx ----" + mend},
		{"SELECT 1;\nSELECT '{{ .name }}';\n---- create above / drop below ----\n", ":2: tern makes SQL from the template {{ }} there" + tool},
		{"-- Rambler Up\nSELECT 1;\n", ":1: rambler does not read this line: it wants -- rambler up or -- rambler down at the very start" + mend},
		{"SELECT 1;\n-- Down\nSELECT 2;\n", ":2: a way back may begin there, but no line says where the way up begins"},
		{"SELECT 1;\n-- ROLLBACK\nSELECT 2;\n", ":2: a way back may begin there"},
		{"SELECT 1;\n-- Down Migration\nSELECT 2;\n", ":2: a way back may begin there"},
		{"SELECT 1;\n-- Up\nSELECT 2;\n-- Down\n", ":2: the statements above this line belong to neither way; move them below it"},
		{"-- Down\nSELECT 2;\n-- Up\n", ":1: the way down comes first, which a tool with -- Up and -- Down does not read"},
		{"-- +goose Up\nSELECT 1;\n-- migrate:down\n", ":3: this line is for dbmate, but line 1 is for goose; keep the lines of one, or let"},
	} {
		_, err := migrations.Scripts([]migrations.File{{Name: "db/001_x.sql", SQL: c.sql}}, migrations.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "db/001_x.sql:") {
			t.Errorf("Scripts(%q):\n got %v\nwant %s", c.sql, err, c.want)
		}
	}
}

// A file's name may show its tool, and so may the other files of its folder.
func TestTools(t *testing.T) {
	t.Parallel()
	const gooseUp, ternUp = "-- +goose Up\nSELECT 1;\n", "SELECT 1;\n---- create above / drop below ----\n"
	for _, c := range []struct {
		name  string
		files []migrations.File
		want  string // a script's name and what it has, or a part of an error
	}{
		{"golang-migrate", []migrations.File{{"1.up.sql", "SELECT 1; SELECT 2;"}, {"2.up.sql", "CREATE INDEX CONCURRENTLY ON t (a);"}, {"3.up.sql", "BEGIN; COMMIT;"}},
			"1.up.sql transaction; 2.up.sql session; 3.up.sql session"},
		{"Hasura", []migrations.File{{"1_a/up.sql", "SELECT 1;"}, {"2_b/up.sql", "SELECT 2;"}}, "1_a/up.sql transaction; 2_b/up.sql transaction session"},
		{"Flyway", []migrations.File{{"V1__a.sql", "SELECT '$x', $$ $ {} $$ -- ${flyway:timestamp}\n;"}, {"R__b.sql", "VACUUM;"}}, "V1__a.sql transaction; R__b.sql"},
		{"Flyway's placeholder", []migrations.File{{"V1__a.sql", "SELECT 1;\nSELECT '${name}';"}}, "V1__a.sql:2: Flyway puts a value into the placeholder ${ } there; let"},
		{"no placeholder elsewhere", []migrations.File{{"1_a.sql", "SELECT '${name} {{ x }}';"}}, "1_a.sql"},
		{"dbmate goes by name", []migrations.File{{"1_a.sql", "-- migrate:up\n"}, {"2_b.sql", "-- migrate:up\n"}, {"10_c.sql", "-- migrate:up\n"}},
			"10_c.sql transaction; 1_a.sql transaction session; 2_b.sql transaction session"},
		{"goose goes by number", []migrations.File{{"10_c.sql", gooseUp}, {"2_b.sql", gooseUp}}, "2_b.sql transaction; 10_c.sql transaction session"},
		{"tern without separator", []migrations.File{{"001_a.sql", "SELECT 1;"}, {"002_b.sql", ternUp}}, "001_a.sql transaction; 002_b.sql transaction"},
		{"template of tern without separator", []migrations.File{{"001_a.sql", "SELECT '{{ .x }}';"}, {"002_b.sql", ternUp}}, "001_a.sql:1: tern makes SQL from the template {{ }}"},
		{"goose without marker", []migrations.File{{"001_a.sql", "SELECT 1;"}, {"002_b.sql", gooseUp}},
			"001_a.sql: goose, for which the other files of the folder are, does not run a file without a marker; mark its way up, or move it to another folder"},
		{"way back in an up file", []migrations.File{{"1_a.up.sql", "SELECT 1;\n-- Down\nSELECT 2;"}},
			"1_a.up.sql:2: a way back may begin there, but a tool with files up and down, which the file's name shows, would run all of the file; rename the file, or write the comment in other words"},
		{"all errors", []migrations.File{{"1_a.sql", "-- Down\n"}, {"2_b.sql", "-- Down\n"}}, "1_a.sql:1: a way back may begin there, but no line says where the way up begins; " +
			"mark it, reword the comment if it is none, or let its own tool run it (attribute migrator of pg_template, Config.Migrate in Go)\n2_b.sql:1: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			scripts, err := migrations.Scripts(c.files, migrations.Options{})
			if err != nil {
				if !strings.Contains(err.Error(), c.want) {
					t.Errorf("Scripts:\n got %v\nwant %s", err, c.want)
				}
				return
			}
			var got []string
			for _, s := range scripts {
				text := s.Name
				if s.Transaction {
					text += " transaction"
				}
				if s.SameSession {
					text += " session"
				}
				got = append(got, text)
			}
			if strings.Join(got, "; ") != c.want {
				t.Errorf("Scripts = %s, want %s", strings.Join(got, "; "), c.want)
			}
		})
	}
}
