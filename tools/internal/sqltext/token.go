package sqltext

import "strings"

// Kind says what a token is.
type Kind int

const (
	EOF       Kind = iota // the end of the text
	Word                  // a key word or an identifier without quotes
	Quoted                // a quoted identifier: "a", U&"a"
	String                // a string constant: 'a', E'a', U&'a', B'1', X'f', $$a$$, $tag$a$tag$
	Number                // 1, 1.5e3, 0xff, without a sign
	Param                 // $1
	Symbol                // an operator, or one of ( ) [ ] , . ; : :: := .. or a character that starts no token
	Backslash             // a command of psql, such as \gexec, without its arguments
	Error                 // a quote or a comment that is not closed: the rest of the text
)

// Token is a lexical element. White space and comments are none.
type Token struct {
	Kind Kind
	Text string // as in the source; of a string constant in several parts ('a' newline 'b'), all of it
	Pos  int    // byte offset in the source
}

// Lower gives Text with A to Z in lower case, as the server folds words in UTF-8. It allocates only if Text has such a
// letter.
func (t Token) Lower() string {
	for i := range len(t.Text) {
		if c := t.Text[i]; c >= 'A' && c <= 'Z' {
			return lower(t.Text)
		}
	}
	return t.Text
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// Is reports whether the token is a word and one of those given, which are in lower case.
func (t Token) Is(words ...string) bool {
	if t.Kind != Word {
		return false
	}
	for _, w := range words {
		if len(w) == len(t.Text) && equalFold(w, t.Text) {
			return true
		}
	}
	return false
}

// equalFold compares a text in lower case with another of equal length.
func equalFold(low, s string) bool {
	for i := range len(low) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != low[i] {
			return false
		}
	}
	return true
}

// IsSymbol reports whether the token is the given operator or punctuation character.
func (t Token) IsSymbol(s string) bool { return t.Kind == Symbol && t.Text == s }

// Ident gives the name that a word or a quoted identifier stands for, before the server cuts it to 63 bytes. It reports
// false for other tokens and for U&"..." with an escape.
func (t Token) Ident() (name string, ok bool) {
	switch {
	case t.Kind == Word:
		return t.Lower(), true
	case t.Kind != Quoted:
		return "", false
	case t.Text[0] == '"':
		return strings.ReplaceAll(t.Text[1:len(t.Text)-1], `""`, `"`), true
	}
	body := t.Text[3 : len(t.Text)-1] // U&"
	return strings.ReplaceAll(body, `""`, `"`), !strings.Contains(body, `\`)
}

// Value gives what a string constant stands for. It reports false for other tokens, for bit strings, for a constant in
// several parts, and for one with escapes by backslash.
func (t Token) Value() (value string, ok bool) {
	if t.Kind != String {
		return "", false
	}
	escapes := false
	body := t.Text
	switch c := body[0]; {
	case c == '$':
		n := strings.IndexByte(body[1:], '$') + 2
		return body[n : len(body)-n], true
	case c == '\'':
	case c == 'e' || c == 'E':
		escapes, body = true, body[1:]
	case c == 'u' || c == 'U':
		escapes, body = true, body[2:]
	default:
		return "", false
	}
	body = body[1 : len(body)-1]
	value = strings.ReplaceAll(body, "''", "'")
	single := 2*strings.Count(value, "'") == strings.Count(body, "'") // else one has closed a part
	return value, single && !(escapes && strings.Contains(body, `\`))
}

// Unclosed says what an Error token began and did not end.
func (t Token) Unclosed() string {
	if t.Kind != Error {
		return ""
	}
	switch {
	case strings.HasPrefix(t.Text, "/*"):
		return "comment"
	case t.Text[0] == '$':
		return "dollar-quoted string"
	case t.Text[0] == '"', len(t.Text) > 2 && t.Text[1] == '&' && t.Text[2] == '"':
		return "quoted identifier"
	}
	return "quoted string"
}
