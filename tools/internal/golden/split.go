package golden

import (
	"errors"
	"regexp"
	"strings"
)

// statement is one SQL statement of a script, or the data of a COPY.
type statement struct {
	text string
	line int    // of its first character that is no space or comment, from 1
	copy string // the lines that follow COPY ... FROM STDIN, up to \.
}

var (
	copyStdin   = regexp.MustCompile(`(?is)^copy\s.*\sfrom\s+stdin\b`)
	beginAtomic = regexp.MustCompile(`(?is)^create\s+(or\s+replace\s+)?(function|procedure)\s.*\sbegin\s+atomic\b`)
	atomicWord  = regexp.MustCompile(`(?i)\b(begin|case|end)\b`)
	dollarTag   = regexp.MustCompile(`^\$([A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$`)
	// wayBack is what goose, sql-migrate, dbmate, rambler and tern write between the two ways of a migration.
	wayBack = regexp.MustCompile(`(?m)^--\s*(\+goose Down|\+migrate Down|migrate:down|rambler down)\b` +
		`|^---- create above / drop below ----`)
)

// split cuts a script into statements at its semicolons, as psql does: quotes, dollar quotes, nested comments and BEGIN
// ATOMIC bodies are passed over. So each statement is a transaction of its own unless the script says BEGIN, and CREATE
// INDEX CONCURRENTLY works. The rules are those of https://www.postgresql.org/docs/current/sql-syntax-lexical.html.
//
// psql's commands are refused, but for \restrict and \unrestrict, which pg_dump writes; data of COPY ... FROM STDIN is
// understood.
func split(sql string) ([]statement, *ScriptError) {
	if at := wayBack.FindStringIndex(sql); at != nil {
		return nil, &ScriptError{Line: lineAt(sql, at[0]), Err: errors.New("the file holds the way back as well, which would run too; " +
			"let its own tool run it (attribute migrator of pg_template, Config.Migrate in Go)")}
	}
	var out []statement
	for pos := 0; ; {
		pos = skipSpace(sql, pos)
		if pos >= len(sql) {
			return out, nil
		}
		if sql[pos] == '\\' {
			end := endOfLine(sql, pos)
			if word := strings.Fields(sql[pos:end])[0]; word != `\restrict` && word != `\unrestrict` {
				return nil, &ScriptError{Line: lineAt(sql, pos), Err: errors.New(word + " is a command of psql, not SQL; " +
					"write it as SQL, or run psql yourself (attribute migrator of pg_template)")}
			}
			pos = end
			continue
		}
		end := endOfStatement(sql, pos)
		s := statement{text: sql[pos:end], line: lineAt(sql, pos)}
		pos = end
		if copyStdin.MatchString(s.text) {
			s.copy, pos = copyData(sql, endOfLine(sql, pos))
		}
		if strings.Trim(s.text, "; \n\t\r") != "" {
			out = append(out, s)
		}
	}
}

func lineAt(sql string, pos int) int { return 1 + strings.Count(sql[:pos], "\n") }

// endOfLine gives the position behind the next line break.
func endOfLine(sql string, pos int) int {
	if i := strings.IndexByte(sql[pos:], '\n'); i >= 0 {
		return pos + i + 1
	}
	return len(sql)
}

// skipSpace passes over white space and comments.
func skipSpace(sql string, pos int) int {
	for pos < len(sql) {
		switch {
		case strings.ContainsRune(" \t\r\n\f\v", rune(sql[pos])):
			pos++
		case strings.HasPrefix(sql[pos:], "\ufeff"): // a byte order mark
			pos += len("\ufeff")
		case strings.HasPrefix(sql[pos:], "--"), strings.HasPrefix(sql[pos:], "/*"):
			pos = skipToken(sql, pos)
		default:
			return pos
		}
	}
	return pos
}

// endOfStatement gives the position behind the semicolon that ends the statement at pos.
func endOfStatement(sql string, pos int) int {
	start := pos
	for pos < len(sql) {
		if sql[pos] == ';' && !insideAtomic(sql[start:pos]) {
			return pos + 1
		}
		pos = skipToken(sql, pos)
	}
	return len(sql)
}

// insideAtomic reports whether a semicolon behind text stands within a BEGIN ATOMIC body, whose statements end in
// semicolons of their own.
func insideAtomic(text string) bool {
	if !beginAtomic.MatchString(text) {
		return false
	}
	var bare strings.Builder // without quotes and comments, in which words do not count
	for pos := 0; pos < len(text); {
		next := skipToken(text, pos)
		if next == pos+1 {
			bare.WriteByte(text[pos])
		} else {
			bare.WriteByte(' ')
		}
		pos = next
	}
	depth := 0
	for _, word := range atomicWord.FindAllString(bare.String(), -1) {
		if strings.EqualFold(word, "end") {
			depth--
		} else {
			depth++
		}
	}
	return depth > 0
}

// skipToken passes over one quoted text or comment, or over a single byte.
func skipToken(sql string, pos int) int {
	rest := sql[pos:]
	switch {
	case rest[0] == '\'':
		escapes := pos > 0 && (sql[pos-1] == 'E' || sql[pos-1] == 'e') && (pos == 1 || !isWord(sql[pos-2]))
		return skipQuoted(sql, pos, '\'', escapes)
	case rest[0] == '"':
		return skipQuoted(sql, pos, '"', false)
	case strings.HasPrefix(rest, "--"):
		return endOfLine(sql, pos)
	case strings.HasPrefix(rest, "/*"):
		return skipComment(sql, pos)
	case rest[0] == '$' && (pos == 0 || !isWord(sql[pos-1])):
		tag := dollarTag.FindString(rest)
		if tag == "" {
			return pos + 1
		}
		if i := strings.Index(rest[len(tag):], tag); i >= 0 {
			return pos + i + 2*len(tag)
		}
		return len(sql)
	}
	return pos + 1
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// skipQuoted passes over a quoted text; a doubled quote ends it and begins the next, which comes to the same.
func skipQuoted(sql string, pos int, quote byte, escapes bool) int {
	for pos++; pos < len(sql); pos++ {
		switch {
		case escapes && sql[pos] == '\\':
			pos++
		case sql[pos] == quote:
			if pos+1 < len(sql) && sql[pos+1] == quote {
				pos++
				continue
			}
			return pos + 1
		}
	}
	return len(sql)
}

// skipComment passes over a block comment; they nest.
func skipComment(sql string, pos int) int {
	depth := 0
	for pos < len(sql) {
		switch {
		case strings.HasPrefix(sql[pos:], "/*"):
			depth++
			pos += 2
		case strings.HasPrefix(sql[pos:], "*/"):
			depth--
			pos += 2
			if depth == 0 {
				return pos
			}
		default:
			pos++
		}
	}
	return len(sql)
}

// copyData gives the lines from pos up to the one that is \. and the position behind it.
func copyData(sql string, pos int) (data string, next int) {
	start := pos
	for pos < len(sql) {
		end := endOfLine(sql, pos)
		if strings.TrimRight(sql[pos:end], "\r\n") == `\.` {
			return sql[start:pos], end
		}
		pos = end
	}
	return sql[start:], len(sql)
}
