package psql

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
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
