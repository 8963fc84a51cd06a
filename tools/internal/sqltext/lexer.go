package sqltext

import "strings"

// Lexer reads the tokens of a text. Its zero value is at the end of an empty one.
type Lexer struct {
	sql string
	pos int // of what comes next
}

// New gives a lexer at the start of sql.
func New(sql string) *Lexer { return &Lexer{sql: sql} }

// Next gives the next token; at the end, and after an Error, it is EOF for good.
func (l *Lexer) Next() Token {
	if start, ok := l.skipSpace(); !ok {
		return l.unclosed(start)
	}
	if l.pos >= len(l.sql) {
		return Token{EOF, "", len(l.sql)}
	}
	start := l.pos
	c := l.sql[start]
	switch {
	case isWordStart(c):
		return l.word()
	case c == '\'':
		return l.quoted(String, start, start, false)
	case c == '"':
		return l.quoted(Quoted, start, start, false)
	case isDigit(c), c == '.' && isDigit(l.at(start+1)):
		return l.take(Number, l.numberEnd())
	case c == '$':
		return l.dollar()
	case c == '\\':
		return l.take(Backslash, l.commandEnd())
	case isOperator(c):
		return l.take(Symbol, l.operatorEnd())
	case c == ':' && (l.at(start+1) == ':' || l.at(start+1) == '='), c == '.' && l.at(start+1) == '.':
		return l.take(Symbol, start+2)
	}
	return l.take(Symbol, start+1)
}

// at gives the byte at pos, 0 behind the end.
func (l *Lexer) at(pos int) byte {
	if pos < len(l.sql) {
		return l.sql[pos]
	}
	return 0
}

// take makes a token of what lies between the current position and end.
func (l *Lexer) take(kind Kind, end int) Token {
	t := Token{kind, l.sql[l.pos:end], l.pos}
	l.pos = end
	return t
}

// unclosed makes an Error of the rest of the text.
func (l *Lexer) unclosed(start int) Token {
	l.pos = len(l.sql)
	return Token{Error, l.sql[start:], start}
}

// skipSpace passes over white space and comments. It reports false where a comment that is not closed starts.
func (l *Lexer) skipSpace() (start int, ok bool) {
	for l.pos < len(l.sql) {
		switch c := l.sql[l.pos]; {
		case isSpace(c):
			l.pos++
		case c == '-' && l.at(l.pos+1) == '-':
			l.pos = l.lineEnd(l.pos)
		case c == '/' && l.at(l.pos+1) == '*':
			start := l.pos
			if l.pos = l.commentEnd(start); l.pos < 0 {
				return start, false
			}
		default:
			return 0, true
		}
	}
	return 0, true
}

// lineEnd gives the position of the next line break, or the end of the text.
func (l *Lexer) lineEnd(pos int) int {
	if i := strings.IndexAny(l.sql[pos:], "\r\n"); i >= 0 {
		return pos + i
	}
	return len(l.sql)
}

// commentEnd gives the position behind the block comment at pos, -1 if it is not closed. They nest.
func (l *Lexer) commentEnd(pos int) int {
	for depth := 0; pos+1 < len(l.sql); {
		switch two := l.sql[pos : pos+2]; {
		case two == "/*":
			depth++
			pos += 2
		case two == "*/":
			depth--
			pos += 2
			if depth == 0 {
				return pos
			}
		default:
			pos++
		}
	}
	return -1
}

// word reads an identifier, or the constant that its first letter is the prefix of.
func (l *Lexer) word() Token {
	start := l.pos
	next := l.at(start + 1)
	switch l.sql[start] {
	case 'e', 'E':
		if next == '\'' {
			return l.quoted(String, start, start+1, true)
		}
	case 'b', 'B', 'x', 'X':
		if next == '\'' {
			return l.quoted(String, start, start+1, false)
		}
	case 'u', 'U':
		if next == '&' && l.at(start+2) == '\'' {
			return l.quoted(String, start, start+2, false)
		}
		if next == '&' && l.at(start+2) == '"' {
			return l.quoted(Quoted, start, start+2, false)
		}
	}
	end := start + 1
	for end < len(l.sql) && isWordPart(l.sql[end]) {
		end++
	}
	return l.take(Word, end)
}

// quoted reads the constant or identifier whose opening quote is at open. A doubled quote stands for one; string
// constants go on behind a line break.
func (l *Lexer) quoted(kind Kind, start, open int, escapes bool) Token {
	quote := l.sql[open]
	for pos := open + 1; pos < len(l.sql); pos++ {
		switch c := l.sql[pos]; {
		case c == '\\' && escapes:
			pos++
		case c != quote:
		case l.at(pos+1) == quote:
			pos++
		default:
			if next := l.nextPart(pos + 1); kind == String && next > 0 {
				pos = next
				continue
			}
			return l.take(kind, pos+1)
		}
	}
	return l.unclosed(start)
}

// nextPart gives the position of the quote that continues a string constant which ended before pos, 0 if none does:
// there must be nothing but white space and comments with -- between, and a line break.
func (l *Lexer) nextPart(pos int) int {
	for broken := false; pos < len(l.sql); {
		switch c := l.sql[pos]; {
		case c == '\n' || c == '\r':
			broken = true
			pos++
		case isSpace(c):
			pos++
		case c == '-' && l.at(pos+1) == '-':
			pos = l.lineEnd(pos)
		case c == '\'' && broken:
			return pos
		default:
			return 0
		}
	}
	return 0
}

// dollar reads a parameter or a dollar-quoted string.
func (l *Lexer) dollar() Token {
	start := l.pos
	end := start + 1
	if isDigit(l.at(end)) {
		for isDigit(l.at(end)) {
			end++
		}
		return l.take(Param, end)
	}
	if isWordStart(l.at(end)) {
		for end < len(l.sql) && l.sql[end] != '$' && isWordPart(l.sql[end]) {
			end++
		}
	}
	if l.at(end) != '$' {
		return l.take(Symbol, start+1)
	}
	tag := l.sql[start : end+1]
	i := strings.Index(l.sql[end+1:], tag)
	if i < 0 {
		return l.unclosed(start)
	}
	return l.take(String, end+1+i+len(tag))
}

// numberEnd gives the position behind the number that is next.
func (l *Lexer) numberEnd() int {
	pos := l.pos
	if l.sql[pos] == '0' {
		if end := l.digits(pos+2, l.at(pos+1)|0x20); end > pos+2 {
			return end
		}
	}
	pos = l.digits(pos, 0)
	if l.at(pos) == '.' && l.at(pos+1) != '.' {
		pos = l.digits(pos+1, 0)
	}
	if c := l.at(pos); c == 'e' || c == 'E' {
		exponent := pos + 1
		if c := l.at(exponent); c == '+' || c == '-' {
			exponent++
		}
		if end := l.digits(exponent, 0); end > exponent {
			return end
		}
	}
	return pos
}

// digits gives the position behind the digits at pos, of the base that a letter stands for: x, o, b, or 0 for decimal
// ones. An underscore may stand between two, and before the first one behind such a letter.
func (l *Lexer) digits(pos int, base byte) int {
	is := isDigit
	switch base {
	case 0:
	case 'x':
		is = func(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
	case 'o':
		is = func(c byte) bool { return c >= '0' && c <= '7' }
	case 'b':
		is = func(c byte) bool { return c == '0' || c == '1' }
	default:
		return pos
	}
	for start := pos; ; pos++ {
		between := l.at(pos) == '_' && is(l.at(pos+1)) && (pos > start || base != 0)
		if !between && !is(l.at(pos)) {
			return pos
		}
	}
}

// commandEnd gives the position behind the name of psql's command that is next.
func (l *Lexer) commandEnd() int {
	end := l.pos + 1
	if c := l.at(end); c == ';' || c == ':' || c == '\\' {
		return end + 1
	}
	for end < len(l.sql) && !isSpace(l.sql[end]) && l.sql[end] != '\\' {
		end++
	}
	return end
}

// operatorEnd gives the position behind the operator that is next. It stops before a comment, and may end in + or -
// only if it holds a character that no operator of the SQL standard has.
func (l *Lexer) operatorEnd() int {
	end, special := l.pos, false
	for end < len(l.sql) && isOperator(l.sql[end]) {
		c, next := l.sql[end], l.at(end+1)
		if end > l.pos && (c == '-' && next == '-' || c == '/' && next == '*') {
			break
		}
		special = special || strings.IndexByte("~!@#^&|`?%", c) >= 0
		end++
	}
	for !special && end > l.pos+1 && (l.sql[end-1] == '+' || l.sql[end-1] == '-') {
		end--
	}
	return end
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordStart(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80 }

func isWordPart(c byte) bool { return isWordStart(c) || isDigit(c) || c == '$' }

func isOperator(c byte) bool { return strings.IndexByte("~!@#^&|`?+-*/%<>=", c) >= 0 }
