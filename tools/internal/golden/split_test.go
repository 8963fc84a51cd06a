package golden

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSplit is inside the package: what runs is a statement's text, and only errors show its line to the outside.
func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		sql  string
		want []string
		line []int
	}{
		{"empty", " \n-- nothing\n/* at /* all */ */ ;;", nil, nil},
		{"two", "SELECT 1;\n\nSELECT 2", []string{"SELECT 1;", "SELECT 2"}, []int{1, 3}},
		{"quotes", `SELECT 'a;''b;', "c;""d", E'e\';f'; SELECT 2;`, []string{`SELECT 'a;''b;', "c;""d", E'e\';f';`, "SELECT 2;"}, []int{1, 1}},
		{"backslash without E", `SELECT '\'; SELECT 2;`, []string{`SELECT '\';`, "SELECT 2;"}, []int{1, 1}},
		{"name that ends in e", `SELECT name'\'; SELECT 2;`, []string{`SELECT name'\';`, "SELECT 2;"}, []int{1, 1}},
		{"dollars", "DO $a$ x; $$ y; $b$ $a$; SELECT $1;", []string{"DO $a$ x; $$ y; $b$ $a$;", "SELECT $1;"}, []int{1, 1}},
		{"dollar in a name", "SELECT a$b$c; SELECT 2;", []string{"SELECT a$b$c;", "SELECT 2;"}, []int{1, 1}},
		{"comments", "SELECT 1 -- one;\n; /* two; /* three; */ */ SELECT 2;", []string{"SELECT 1 -- one;\n;", "SELECT 2;"}, []int{1, 2}},
		{"atomic", "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 'end'; END; SELECT 2;",
			[]string{"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 'end'; END;", "SELECT 2;"}, []int{1, 1}},
		{"begin is no body", "BEGIN; SELECT 1; END;", []string{"BEGIN;", "SELECT 1;", "END;"}, []int{1, 1, 1}},
		{"pg_dump", "\\restrict abc\nSELECT 1;\n\\unrestrict abc\n", []string{"SELECT 1;"}, []int{2}},
		{"unclosed", "SELECT 'a;", []string{"SELECT 'a;"}, []int{1}},
		{"byte order mark", "\ufeffSELECT 1;", []string{"SELECT 1;"}, []int{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			statements, err := split(c.sql)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			var line []int
			for _, s := range statements {
				got, line = append(got, s.text), append(line, s.line)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("split(%q) (-want +got):\n%s", c.sql, diff)
			}
			if diff := cmp.Diff(c.line, line); diff != "" {
				t.Errorf("lines of split(%q) (-want +got):\n%s", c.sql, diff)
			}
		})
	}
}

func TestSplitCopy(t *testing.T) {
	t.Parallel()
	statements, err := split("COPY t (a) FROM stdin;\n1\n';\n\\.\nSELECT 2;")
	if err != nil || len(statements) != 2 {
		t.Fatalf("split = %v, %v; want two statements", statements, err)
	}
	if got, want := statements[0].copy, "1\n';\n"; got != want {
		t.Errorf("data = %q, want %q", got, want)
	}
	if got, want := statements[1].line, 5; got != want {
		t.Errorf("line = %d, want %d", got, want)
	}
}

func TestSplitRefuses(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		"SELECT 1;\n\\connect other\n":                `:2: \connect is a command of psql, not SQL; write it as SQL, or run psql yourself`,
		"SELECT 1;\n-- +goose Down\nSELECT 2;":        ":2: the file holds the way back as well, which would run too; let its own tool run it",
		"x;\n---- create above / drop below ----\ny;": ":2: the file holds the way back",
		"-- rambler up\nx;\n-- rambler down\ny;":      ":3: the file holds the way back",
		"-- migrate:up\nx;\n-- migrate:down\ny;":      ":3: the file holds the way back",
	} {
		if _, err := split(sql); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("split(%q) = %v, want %q", sql, err, want)
		}
	}
}
