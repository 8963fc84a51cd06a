package sqltext_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/sqltext"
)

var kinds = map[sqltext.Kind]string{
	sqltext.Word: "word", sqltext.Quoted: "quoted", sqltext.String: "string", sqltext.Number: "number", sqltext.Param: "param",
	sqltext.Symbol: "symbol", sqltext.Backslash: "backslash", sqltext.Error: "error",
}

// tokens gives the tokens of sql as "kind text".
func tokens(sql string) []string {
	var out []string
	l := sqltext.New(sql)
	for t := l.Next(); t.Kind != sqltext.EOF; t = l.Next() {
		out = append(out, kinds[t.Kind]+" "+t.Text)
	}
	return out
}

func TestLexer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, sql, want string }{
		{"empty", " \t\n\f\v\r", ""},
		{"words", "SELECT a$b, é_1 _x", "word SELECT|word a$b|symbol ,|word é_1|word _x"},
		{"strings", `'a''b' '\' E'a\'b''' b'01' X'1f' u&'\0061'`, `string 'a''b'|string '\'|string E'a\'b'''|string b'01'|string X'1f'|string u&'\0061'`},
		{"national", "n'a'", "word n|string 'a'"},
		{"name before a quote", `name'\' x`, `word name|string '\'|word x`},
		{"identifiers", `"a;""b" U&"\0061" u & "x"`, `quoted "a;""b"|quoted U&"\0061"|word u|symbol &|quoted "x"`},
		{"continued", "'a' -- x\n 'b' 'c'", "string 'a' -- x\n 'b'|string 'c'"},
		{"continued with escapes", "E'a'\n'b\\'c' x", "string E'a'\n'b\\'c'|word x"},
		{"not continued by a block comment", "E'a'/*\n*/'\\' x", "string E'a'|string '\\'|word x"},
		{"dollars", "$$a'b$$ $a$ $$ $b$ $a$ $é1$x$é1$", "string $$a'b$$|string $a$ $$ $b$ $a$|string $é1$x$é1$"},
		{"dollar with another tag before its end", "$a$ x$b$a$ y", "string $a$ x$b$a$|word y"},
		{"dollar in a name", "a$b$c", "word a$b$c"},
		{"dollar behind a number", "1$$a;$$", "number 1|string $$a;$$"},
		{"dollar alone", "$ $a b", "symbol $|symbol $|word a|word b"},
		{"params", "$1 $23x", "param $1|param $23|word x"},
		{"numbers", "1 1.5 .5 1. 1e5 1.5E-3 1_000 0xFf 0o17 0b1_0",
			"number 1|number 1.5|number .5|number 1.|number 1e5|number 1.5E-3|number 1_000|number 0xFf|number 0o17|number 0b1_0"},
		{"numbers and more", "1..2 1e 1.x 0x'1' 1e'\\'' 0", "number 1|symbol ..|number 2|number 1|word e|number 1.|word x|" +
			"number 0|string x'1'|number 1|string e'\\''|number 0"},
		{"symbols", "a.b[1:2]::int := ;(,)", "word a|symbol .|word b|symbol [|number 1|symbol :|number 2|symbol ]|symbol ::|word int|symbol :=|" +
			"symbol ;|symbol (|symbol ,|symbol )"},
		{"operators", "a=-1 b@-1 c->>'x' d||e <= >= <> != * -", "word a|symbol =|symbol -|number 1|word b|symbol @-|number 1|word c|symbol ->>|" +
			"string 'x'|word d|symbol |||word e|symbol <=|symbol >=|symbol <>|symbol !=|symbol *|symbol -"},
		{"comments", "a--b\nc+/*d/*e*/f*/g -/**/- h", "word a|word c|symbol +|word g|symbol -|symbol -|word h"},
		{"comment up to a carriage return", "--a\rb", "word b"},
		{"comment at the end", "a -- b", "word a"},
		{"commands", `\gexec x \;y \\ \x\y`, `backslash \gexec|word x|backslash \;|word y|backslash \\|backslash \x|backslash \y`},
		{"unclosed", "a 'b", "word a|error 'b"},
		{"unclosed escape", `E'\'`, `error E'\'`},
		{"unclosed escape at the end", `E'\`, `error E'\`},
		{"unclosed dollars", "$a$ $b$", "error $a$ $b$"},
		{"unclosed comment", "a /* /* */", "word a|error /* /* */"},
		{"slash at the end", "a /*/", "word a|error /*/"},
		{"other characters", "{\x01}", "symbol {|symbol \x01|symbol }"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, strings.Join(tokens(c.sql), "|")); diff != "" {
				t.Errorf("tokens of %q (-want +got):\n%s", c.sql, diff)
			}
		})
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	next := func(sql string) sqltext.Token { return sqltext.New(sql).Next() }
	for sql, want := range map[string]string{
		"'a'": "a", "'a''''b'": "a''b", "''": "", "E'a'": "a", "U&'a'": "a", "$$a'$$": "a'", "$t$a$b$t$": "a$b", "''''": "'",
	} {
		if got, ok := next(sql).Value(); got != want || !ok {
			t.Errorf("Value of %s = %q, %t, want %q", sql, got, ok, want)
		}
	}
	for _, sql := range []string{`E'\n'`, `U&'\0061'`, "b'1'", "x'1'", "'a'\n'b'", "'a'''\n'''b'", "1", "a", `"a"`} {
		if got, ok := next(sql).Value(); ok {
			t.Errorf("Value of %s = %q, want none", sql, got)
		}
	}
	for sql, want := range map[string]string{"ÉA": "Éa", `"A""b"`: `A"b`, `U&"A"`: "A", "select": "select"} {
		if got, ok := next(sql).Ident(); got != want || !ok {
			t.Errorf("Ident of %s = %q, %t, want %q", sql, got, ok, want)
		}
	}
	for _, sql := range []string{"1", "'a'", `U&"\0061"`} {
		if got, ok := next(sql).Ident(); ok {
			t.Errorf("Ident of %s = %q, want none", sql, got)
		}
	}
	if w := next("SeT"); !w.Is("reset", "set") || w.Is("se", "sex") || next(`"set"`).Is("set") || next("\u212aey").Is("key") {
		t.Error("Is is wrong for a word in mixed case, a quoted identifier, or a letter outside ASCII")
	}
}

// TestLowerAllocs is not parallel, since testing.AllocsPerRun counts the allocations of all goroutines.
func TestLowerAllocs(t *testing.T) {
	word := sqltext.New("plain").Next()
	if n := testing.AllocsPerRun(10, func() { word.Lower() }); n != 0 {
		t.Errorf("Lower of a word in lower case allocates %v times", n)
	}
}

// FuzzLexer holds what is true of any text: tokens stand in order and do not overlap, nothing but white space and
// comments stands between them, and each statement's tokens are those of the script.
func FuzzLexer(f *testing.F) {
	for _, seed := range []string{
		"SELECT 'a;b', $$;$$; CREATE RULE r AS ON INSERT TO t DO ALSO (a; b);", "E'a'\n'b\\'' /* /* */ */ -- x\n\\gexec\n",
		"COPY t FROM stdin;\n1\\N\n\\.\nSELECT 1", "create function f() begin atomic case end; end;", "U&\"a\" $a$ $b$a$", "\\\\\\;0x_1.e+-/*",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		end, l := 0, sqltext.New(sql)
		for n := 0; ; n++ {
			token := l.Next()
			if token.Pos < end || token.Pos+len(token.Text) > len(sql) || sql[token.Pos:token.Pos+len(token.Text)] != token.Text {
				t.Fatalf("token %q at %d of %q, after one that ends at %d", token.Text, token.Pos, sql, end)
			}
			if more := tokens(sql[end:token.Pos]); len(more) > 0 {
				t.Fatalf("%q is passed over in %q", sql[end:token.Pos], sql)
			}
			token.Value()
			token.Ident()
			if token.Kind == sqltext.EOF {
				break
			}
			if token.Text == "" || n > len(sql) {
				t.Fatalf("the lexer does not go on at %d of %q", token.Pos, sql)
			}
			end = token.Pos + len(token.Text)
		}
		end = 0
		for s, err := range sqltext.Statements(sql) {
			if err != nil {
				continue
			}
			if s.Pos < end || sql[s.Pos:s.Pos+len(s.Text)] != s.Text || s.Line != 1+strings.Count(sql[:s.Pos], "\n") {
				t.Fatalf("statement %q at %d, line %d, of %q", s.Text, s.Pos, s.Line, sql)
			}
			end = s.Pos + len(s.Text)
		}
	})
}
