package psql

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/sqltext"
)

// Error says where a migration or a seed failed, and what PostgreSQL said.
type Error struct {
	Name string // of the script
	Line int    // in it, from 1
	Err  error  // often a *pgconn.PgError
	// Remedy is what to do, if it is known and PostgreSQL cannot say it.
	Remedy string
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d: ", e.Name, e.Line)
	var pg *pgconn.PgError
	if !errors.As(e.Err, &pg) {
		b.WriteString(e.Err.Error())
		return b.String()
	}
	fmt.Fprintf(&b, "%s: %s (SQLSTATE %s)", pg.Severity, pg.Message, pg.Code)
	hint := pg.Hint
	if e.Remedy != "" {
		hint = e.Remedy
	}
	for _, more := range []struct{ name, text string }{{"DETAIL", pg.Detail}, {"HINT", hint}, {"CONTEXT", pg.Where}} {
		if more.text != "" {
			fmt.Fprintf(&b, "\n    %s: %s", more.name, more.text)
		}
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// errorIn says where in a file an error is, unless it says so already.
func errorIn(f *file, s sqltext.Statement, err error) error {
	var known *Error
	var unclosed *sqltext.UnclosedError
	var same *sqltext.SameLineError
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &unclosed):
		return &Error{Name: f.Name, Line: unclosed.Line, Err: err}
	case errors.As(err, &same):
		return &Error{Name: f.Name, Line: same.Line, Err: err}
	}
	return &Error{Name: f.Name, Line: errorLine(s, err), Err: err, Remedy: remedy(f, s, err)}
}

var copyLine = regexp.MustCompile(`(?m)^COPY .*, line (\d+)`)

// errorLine gives the line of an error in a statement. PostgreSQL says its position in characters from 1, or the line in
// the data of COPY.
func errorLine(s sqltext.Statement, err error) int {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return s.Line
	}
	if found := copyLine.FindStringSubmatch(pg.Where); s.FromStdin && found != nil {
		n, _ := strconv.Atoi(found[1]) // 0 for a line without end
		return s.Line + strings.Count(s.Text, "\n") + n
	}
	before, _ := aroundError(s, pg)
	return s.Line + strings.Count(before, "\n")
}

// aroundError cuts a statement at the position of an error; all of it comes after a position that is not known.
func aroundError(s sqltext.Statement, pg *pgconn.PgError) (before, after string) {
	chars := []rune(s.Text)
	at := max(0, min(int(pg.Position)-1, len(chars)))
	return string(chars[:at]), string(chars[at:])
}

var psqlVariable = regexp.MustCompile(`^:['"{]?\??[\pL_]`)

// remedy says what PostgreSQL cannot know: that psql would have put a variable in, or that a dump begins with what takes
// an older state away.
func remedy(f *file, s sqltext.Statement, err error) string {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return ""
	}
	if f.dump == databaseDump && cleans(s) && slices.Contains(undefined, pg.Code) {
		return "pg_dump --clean wrote this for a database that holds the schema already, and the template's is empty; " +
			"dump without --clean"
	}
	if _, after := aroundError(s, pg); pg.Position > 0 && psqlVariable.MatchString(after) {
		return "a name behind a colon is a variable of psql, which pgcell does not have; write its value, or " +
			howToRunPsql
	}
	return ""
}
