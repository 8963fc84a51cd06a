package sqltext

import (
	"fmt"
	"iter"
	"strings"
)

// Statement is an element of a script: an SQL statement with the data that COPY reads from the script, or a command of
// psql.
type Statement struct {
	// Text begins with the first token. For SQL it ends with the semicolon, or at the end of the script; for a command
	// with the last of its arguments.
	Text string
	Pos  int // byte offset of Text in the script
	Line int // of Text's first character, from 1
	// Command is the name of a command of psql with its backslash, such as \echo, and Args what follows it on its line;
	// "" for SQL.
	Command, Args string
	// Before is what a command found in psql's query buffer, such as the SELECT before \gexec.
	Before string
	// FromStdin says that the statement is COPY ... FROM STDIN, and Data is what it reads: whole lines as they are, up
	// to the line \. that ends them.
	FromStdin bool
	Data      string
}

// UnclosedError says that a quote or a comment is not closed.
type UnclosedError struct {
	What string // quoted string, quoted identifier, dollar-quoted string, comment
	Line int    // where it begins, from 1
	Pos  int    // byte offset of its beginning
	Mark string // what it begins with
}

func (e *UnclosedError) Error() string {
	return fmt.Sprintf("the %s that begins here with %s is not closed", e.What, e.Mark)
}

// SameLineError says that SQL follows COPY ... FROM STDIN on its line.
type SameLineError struct {
	Line int // from 1
	Pos  int
}

func (e *SameLineError) Error() string {
	return "more SQL follows COPY ... FROM STDIN on the same line, before its data; put it on a line behind the data"
}

// Statements splits a script as psql does: at semicolons that are not inside quotes, comments, parentheses, or a BEGIN
// ATOMIC body of CREATE FUNCTION or PROCEDURE. Empty statements are left out; a byte order mark at the start is passed
// over. An error, *UnclosedError or *SameLineError, is the last element.
func Statements(sql string) iter.Seq2[Statement, error] {
	return func(yield func(Statement, error) bool) {
		s := &splitter{Lexer: Lexer{sql: sql, pos: len(sql) - len(strings.TrimPrefix(sql, "\ufeff"))}, line: 1}
		for {
			statement, err := s.next()
			if err != nil {
				yield(Statement{}, err)
				return
			}
			if statement.Text == "" || !yield(statement, nil) {
				return
			}
		}
	}
}

type splitter struct {
	Lexer
	line, counted int // line is that of the position counted
}

// lineAt gives the line of a position, from 1. It counts on from the last one asked for.
func (s *splitter) lineAt(pos int) int {
	if pos < s.counted {
		return s.line - strings.Count(s.sql[pos:s.counted], "\n")
	}
	s.line += strings.Count(s.sql[s.counted:pos], "\n")
	s.counted = pos
	return s.line
}

// next gives the next statement, one without Text at the end of the script.
func (s *splitter) next() (Statement, error) {
	t := s.Next()
	for t.IsSymbol(";") {
		t = s.Next()
	}
	start, sh := t.Pos, shape{}
	for ; ; t = s.Next() {
		switch {
		case t.Kind == Error:
			return Statement{}, s.errorAt(t)
		case t.Kind == Backslash:
			return s.command(t, start), nil
		case t.Kind == EOF && sh.tokens == 0:
			return Statement{}, nil
		case t.Kind == EOF:
			return s.statement(start, s.spaceBefore(start), sh)
		case t.IsSymbol(";") && sh.parens == 0 && sh.bodies == 0:
			return s.statement(start, s.pos, sh)
		}
		sh.add(t)
	}
}

// spaceBefore gives the end of the script without the white space there.
func (s *splitter) spaceBefore(start int) int {
	return start + len(strings.TrimRight(s.sql[start:], " \t\r\n\f\v"))
}

func (s *splitter) errorAt(t Token) error {
	mark := t.Text[:min(2, len(t.Text))]
	switch {
	case t.Text[0] == '\'' || t.Text[0] == '"':
		mark = t.Text[:1]
	case t.Text[0] == '$':
		mark = t.Text[:strings.IndexByte(t.Text[1:], '$')+2]
	case mark[1] == '&':
		mark = t.Text[:3]
	}
	return &UnclosedError{What: t.Unclosed(), Line: s.lineAt(t.Pos), Pos: t.Pos, Mark: mark}
}

func (s *splitter) statement(start, end int, sh shape) (Statement, error) {
	out := Statement{Text: s.sql[start:end], Pos: start, Line: s.lineAt(start), FromStdin: sh.stdin}
	if !sh.stdin {
		return out, nil
	}
	line := len(s.sql)
	if i := strings.IndexByte(s.sql[s.pos:], '\n'); i >= 0 {
		line = s.pos + i + 1
	}
	rest := New(s.sql[s.pos:line])
	if t := rest.Next(); t.Kind != EOF {
		return Statement{}, &SameLineError{Line: s.lineAt(s.pos + t.Pos), Pos: s.pos + t.Pos}
	}
	out.Data, s.pos = copyData(s.sql, line)
	return out, nil
}

// copyData gives the lines from pos up to the one that is \. and the position behind it.
func copyData(sql string, pos int) (data string, next int) {
	start := pos
	for pos < len(sql) {
		end := len(sql)
		if i := strings.IndexByte(sql[pos:], '\n'); i >= 0 {
			end = pos + i + 1
		}
		if sql[pos] == '\\' && strings.TrimRight(sql[pos:end], "\r\n") == `\.` {
			return sql[start:pos], end
		}
		pos = end
	}
	return sql[start:], len(sql)
}

// command reads the arguments of psql's command t: up to the end of the line, or to a backslash outside quotes, with
// which the next command begins, or SQL behind \\.
func (s *splitter) command(t Token, start int) Statement {
	end := s.argsEnd()
	out := Statement{
		Text: strings.TrimRight(s.sql[t.Pos:end], " \t\r\f\v"), Pos: t.Pos, Line: s.lineAt(t.Pos),
		Command: t.Text, Args: strings.TrimSpace(s.sql[s.pos:end]), Before: s.sql[start:t.Pos],
	}
	if s.pos = end; strings.HasPrefix(s.sql[end:], `\\`) {
		s.pos += 2
	}
	return out
}

// argsEnd gives the position behind the arguments of the command whose name was read last.
func (s *splitter) argsEnd() int {
	var quote byte
	for pos := s.pos; pos < len(s.sql); pos++ {
		switch c := s.sql[pos]; {
		case c == '\n':
			return pos
		case quote == '\'' && c == '\\' && s.at(pos+1) != '\n':
			pos++
		case c == quote:
			quote = 0
		case quote != 0:
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case c == '\\':
			return pos
		}
	}
	return len(s.sql)
}
