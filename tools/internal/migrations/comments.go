package migrations

import (
	"strings"

	"github.com/pgcell/pgcell/tools/internal/sqltext"
)

// comment is a line comment that has its line to itself, outside of quotes, block comments and data of COPY.
type comment struct {
	start  int    // of its line
	end    int    // behind its line break
	line   int    // from 1
	text   string // from the first dash, without spaces at its end
	indent bool   // whether space precedes it
	inside bool   // whether it stands within parentheses
	after  int    // how many tokens come before it
}

// text is what is known of a file's SQL.
type text struct {
	comments   []comment
	includes   []string // arguments of \i and \ir
	statements []string // the first words of each, in lower case
	tokens     int
	holders    []int // where quoted texts hold ${, which Flyway puts values into
}

// headWords is how many words of a statement are kept.
const headWords = 8

// scan reads a file's SQL, up to a quote or a comment that is not closed.
func scan(sql string) text {
	s := scanner{sql: sql}
	for statement, err := range sqltext.Statements(sql) {
		if err != nil {
			return s.text
		}
		s.statement(statement)
	}
	s.gap(len(sql))
	return s.text
}

type scanner struct {
	text
	sql   string
	last  int // behind what was read
	line  int // line breaks before counted
	upTo  int // where they are counted up to
	depth int // of parentheses
}

// statement reads a statement with the data of COPY ... FROM STDIN behind it, or a command of psql.
func (s *scanner) statement(of sqltext.Statement) {
	s.gap(of.Pos)
	if of.Command != "" {
		s.command(of)
	} else {
		s.words(of)
	}
	s.gap(of.Pos + len(of.Text)) // a comment at the end of the file
	if of.FromStdin {
		s.last = s.lineEnd(s.last) + len(of.Data)
		if strings.HasPrefix(s.sql[s.last:], `\.`) {
			s.last = s.lineEnd(s.last)
		}
	}
}

func (s *scanner) words(of sqltext.Statement) {
	var head []string
	lexer := sqltext.New(of.Text)
	for t := lexer.Next(); t.Kind != sqltext.EOF; t = lexer.Next() {
		at := of.Pos + t.Pos
		s.gap(at)
		s.last = at + len(t.Text)
		s.tokens++
		switch {
		case (t.Kind == sqltext.String || t.Kind == sqltext.Quoted) && strings.Contains(t.Text, "${"):
			s.holders = append(s.holders, at+strings.Index(t.Text, "${"))
		case t.Kind == sqltext.Word && len(head) < headWords:
			head = append(head, t.Lower())
		case t.IsSymbol("("):
			s.depth++
		case t.IsSymbol(")"):
			s.depth--
		}
	}
	s.depth = 0
	s.statements = append(s.statements, strings.Join(head, " "))
}

func (s *scanner) command(of sqltext.Statement) {
	s.tokens++
	s.last = of.Pos + len(of.Text)
	switch of.Command {
	case `\i`, `\include`, `\ir`, `\include_relative`:
		s.includes = append(s.includes, strings.Trim(of.Args, `'" `))
	}
}

// gap keeps the line comments between what was read and next.
func (s *scanner) gap(next int) {
	if s.last < next {
		for _, at := range sqltext.LineComments(s.sql[s.last:next]) {
			s.comment(s.last+at, s.lineEnd(s.last+at))
		}
		s.last = next
	}
}

func (s *scanner) comment(at, end int) {
	start := strings.LastIndexByte(s.sql[:at], '\n') + 1
	before := strings.TrimPrefix(s.sql[start:at], "\ufeff")
	if strings.TrimSpace(before) != "" {
		return
	}
	s.line += strings.Count(s.sql[s.upTo:start], "\n")
	s.upTo = start
	s.comments = append(s.comments, comment{start: start, end: end, line: s.line + 1, indent: before != "",
		text: strings.TrimSpace(s.sql[at:end]), inside: s.depth > 0, after: s.tokens})
}

// lineEnd gives the position behind the next line break.
func (s *scanner) lineEnd(pos int) int {
	if i := strings.IndexByte(s.sql[pos:], '\n'); i >= 0 {
		return pos + i + 1
	}
	return len(s.sql)
}
