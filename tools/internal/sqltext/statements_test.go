package sqltext_test

import (
	"errors"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/keeper"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/sqltext"
)

// statements gives each statement of sql as "line: text", with a command's parts and COPY's data in brackets.
func statements(sql string) ([]string, error) {
	var out []string
	for s, err := range sqltext.Statements(sql) {
		if err != nil {
			return out, err
		}
		text := fmt.Sprintf("%d: %s", s.Line, s.Text)
		if s.Command != "" {
			text += fmt.Sprintf(" [%s][%s][%s]", s.Command, s.Args, s.Before)
		}
		if s.FromStdin {
			text += fmt.Sprintf(" [%q]", s.Data)
		}
		out = append(out, text)
	}
	return out, nil
}

func TestStatements(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, sql string
		want      []string
	}{
		{"empty", " \n-- nothing\n/* at /* all */ */ ;;", nil},
		{"two", "SELECT 1;\n\nSELECT 2 \n", []string{"1: SELECT 1;", "3: SELECT 2"}},
		{"quotes", `SELECT 'a;''b;', "c;""d", E'e\';f'; SELECT 2;`, []string{`1: SELECT 'a;''b;', "c;""d", E'e\';f';`, "1: SELECT 2;"}},
		{"comments", "SELECT 1 -- one;\n; /* two; /* three; */ */ SELECT 2;", []string{"1: SELECT 1 -- one;\n;", "2: SELECT 2;"}},
		{"rule", "CREATE RULE r AS ON INSERT TO t DO ALSO (\n  SELECT 1;\n  SELECT (2););\nSELECT 3;",
			[]string{"1: CREATE RULE r AS ON INSERT TO t DO ALSO (\n  SELECT 1;\n  SELECT (2););", "4: SELECT 3;"}},
		{"closed too often", "SELECT 1); SELECT (2); SELECT 3", []string{"1: SELECT 1);", "1: SELECT (2);", "1: SELECT 3"}},
		{"atomic", "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 'end', \"end\"; END; SELECT 2;",
			[]string{"1: CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 'end', \"end\"; END;", "1: SELECT 2;"}},
		{"atomic procedure", "create OR replace PROCEDURE p() begin\natomic INSERT INTO t VALUES (1); end; SELECT 2;",
			[]string{"1: create OR replace PROCEDURE p() begin\natomic INSERT INTO t VALUES (1); end;", "2: SELECT 2;"}},
		{"a name that is begin", "CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT 2;",
			[]string{"1: CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS 'SELECT 1';", "1: SELECT 2;"}},
		{"begin is no body", "BEGIN; SELECT 1; END;", []string{"1: BEGIN;", "1: SELECT 1;", "1: END;"}},
		{"pg_dump", "\\restrict abc\nSELECT 1;\n\\unrestrict abc\n",
			[]string{`1: \restrict abc [\restrict][abc][]`, "2: SELECT 1;", `3: \unrestrict abc [\unrestrict][abc][]`}},
		{"command in a statement", "SELECT 1\n\\gexec\nSELECT 2;", []string{"2: \\gexec [\\gexec][][SELECT 1\n]", "3: SELECT 2;"}},
		{"commands on a line", `\set a 'b\'\\c' \echo "d\\" \\ SELECT 1;`,
			[]string{`1: \set a 'b\'\\c' [\set][a 'b\'\\c'][]`, `1: \echo "d\\" [\echo]["d\\"][]`, "1: SELECT 1;"}},
		{"command with an apostrophe", "\\echo it's\nSELECT 1;", []string{`1: \echo it's [\echo][it's][]`, "2: SELECT 1;"}},
		{"copy", "COPY t (a, b) FROM stdin; -- rows\n1\t\\N\n;'\n\\.\nSELECT 1;",
			[]string{`1: COPY t (a, b) FROM stdin; ["1\t\\N\n;'\n"]`, "5: SELECT 1;"}},
		{"copy with line breaks of Windows", "COPY t FROM STDIN WITH (FORMAT csv);\r\n1\r\n\\.\r\nSELECT 1;\r\n",
			[]string{`1: COPY t FROM STDIN WITH (FORMAT csv); ["1\r\n"]`, "4: SELECT 1;"}},
		{"copy to the end", "copy t from stdin;\n1", []string{`1: copy t from stdin; ["1"]`}},
		{"copy without data", "copy t from stdin", []string{`1: copy t from stdin [""]`}},
		{"copy of a query", "COPY (SELECT x FROM stdin) TO STDOUT;\nSELECT 1;", []string{"1: COPY (SELECT x FROM stdin) TO STDOUT;", "2: SELECT 1;"}},
		{"byte order mark", "\ufeffSELECT 1;", []string{"1: SELECT 1;"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := statements(c.sql)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("statements of %q (-want +got):\n%s", c.sql, diff)
			}
		})
	}
}

func TestStatementsErrors(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]sqltext.UnclosedError{
		"SELECT 1;\nSELECT\n 'a;\n\n":     {What: "quoted string", Line: 3, Pos: 18, Mark: "'"},
		"SELECT E'a;":                     {What: "quoted string", Line: 1, Pos: 7, Mark: "E'"},
		"SELECT U&'a;":                    {What: "quoted string", Line: 1, Pos: 7, Mark: "U&'"},
		"\nSELECT \"a;":                   {What: "quoted identifier", Line: 2, Pos: 8, Mark: `"`},
		"SELECT U&\"a;":                   {What: "quoted identifier", Line: 1, Pos: 7, Mark: `U&"`},
		"DO\n$body$ a $b$;":               {What: "dollar-quoted string", Line: 2, Pos: 3, Mark: "$body$"},
		"SELECT 1; SELECT 2\n/* /* */\n;": {What: "comment", Line: 2, Pos: 19, Mark: "/*"},
	} {
		_, err := statements(sql)
		var got *sqltext.UnclosedError
		if !errors.As(err, &got) {
			t.Errorf("statements of %q: %v, want a quote or comment that is not closed", sql, err)
			continue
		}
		if diff := cmp.Diff(want, *got); diff != "" {
			t.Errorf("statements of %q (-want +got):\n%s", sql, diff)
		}
		if want := fmt.Sprintf("the %s that begins here with %s is not closed", want.What, want.Mark); err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
	}
	_, err := statements("\nCOPY t FROM stdin; SELECT 1;\n1\n\\.\n")
	var same *sqltext.SameLineError
	if !errors.As(err, &same) || same.Line != 2 || !strings.Contains(err.Error(), "put it on a line behind the data") {
		t.Errorf("SQL behind COPY: %v, want a SameLineError of line 2", err)
	}
}

// soup is what TestStatementsAsPsql makes scripts of. The pieces hold no line break, so that psql prints each statement
// that it sends on a line of its own.
var soup = []string{
	";", ";", ";", "(", ")", "create", "or", "replace", "function", "procedure", "begin atomic", "case", "end", "x", "1", "1.5e3",
	"';'", "'a'';'", `'\'`, `E'\';'`, "E''';'", `";"`, `"a"";"`, "$$;$$", "$a$;$$;$a$", "$1", "U&';'", "b'1'", "1$$;$$", "/*;*/",
	"/*/*;*/;*/", "a$b$", "+", "->", "copy", "::", ".5",
}

func TestStatementsAsPsql(t *testing.T) {
	t.Parallel()
	psql, err := exec.LookPath("psql")
	if err != nil {
		t.Skip("psql is not on this machine")
	}
	server := mustServer(t)
	random := rand.New(rand.NewSource(1))
	var script strings.Builder
	var want []string
	for range 300 {
		pieces := make([]string, 2+random.Intn(12))
		for i := range pieces {
			pieces[i] = soup[random.Intn(len(soup))]
		}
		sql := strings.Join(pieces, " ") + " x; rest"
		fmt.Fprintf(&script, "\\r\n%s\n", sql)
		for s, err := range sqltext.Statements(sql) {
			if err != nil {
				t.Fatalf("statements of %q: %v", sql, err)
			}
			if strings.HasSuffix(s.Text, ";") { // the rest is left open, and \r takes it out
				want = append(want, bare(s.Text))
			}
		}
	}
	cmd := exec.Command(psql, "-X", "-q", "-e", "-d", server.URL("postgres", "postgres"))
	cmd.Stdin = strings.NewReader(script.String() + "\\r\n")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if line = bare(line); line != "" && line != ";" { // psql sends a comment alone
			got = append(got, line)
		}
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("statements (-psql +sqltext):\n%s", diff)
	}
}

// bare takes the soup's comments out, which psql sends or not by its version and their place.
func bare(s string) string {
	return strings.TrimSpace(strings.NewReplacer("/*/*;*/;*/", "", "/*;*/", "").Replace(s))
}

func init() { keeper.Become(nil) }

func mustServer(t *testing.T) *postgres.Server {
	t.Helper()
	install, err := binaries.Find(t.Context(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		t.Skip(err)
	}
	server, err := postgres.Start(t.Context(), postgres.Config{Install: install, DataDir: t.TempDir() + "/data"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}
