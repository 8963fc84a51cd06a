// Package psql runs a SQL script on one connection, as psql does: statements, data of COPY, the commands of psql that
// dumps and migrations use.
//
// Non-goals: variables, conditions and output of psql; dumps in another format than the plain one.
package psql

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/migrations"
	"github.com/pgcell/pgcell/tools/internal/sqltext"
)

// howToRunPsql is the way out for scripts that need psql.
const howToRunPsql = "run psql yourself (attribute migrator of pg_template; Config.Migrate in Go)"

// run executes scripts in one session, as psql does: each statement is a transaction of its own unless the script
// says BEGIN, so that CREATE INDEX CONCURRENTLY works, or is to be one transaction as a whole.
type run struct {
	ctx  context.Context
	conn *pgx.Conn
	note func(string)
	open int // line of the statement that began the transaction that is open
}

// file is one script of a run: the one asked for, or one that it includes.
type file struct {
	migrations.Script
	dump dumpKind
	deep int  // how many files include it
	quit bool // whether \q has been read
}

// Run executes a script on conn, which is a superuser's. note is told what of it is passed over, as "file:line: text".
//
// Errors: [*Error] for what stands in the script; those of the connection.
func Run(ctx context.Context, conn *pgx.Conn, script migrations.Script, note func(string)) error {
	r := &run{ctx: ctx, conn: conn, note: note}
	if script.Transaction {
		if _, err := conn.Exec(ctx, "BEGIN"); err != nil {
			return fmt.Errorf("begin transaction of %s: %w", script.Name, err)
		}
	}
	if err := r.execute(&file{Script: script, dump: findDump(script.SQL)}); err != nil {
		return err
	}
	if script.Transaction {
		if _, err := conn.Exec(ctx, "COMMIT"); err != nil { // of a deferred constraint
			last := 1 + strings.Count(strings.TrimSpace(script.SQL), "\n")
			return &Error{Name: script.Name, Line: last, Err: err}
		}
		return nil
	}
	if conn.PgConn().TxStatus() != 'I' {
		return &Error{Name: script.Name, Line: r.open,
			Err: errors.New("the transaction that begins here is still open at the end of the file; add COMMIT")}
	}
	return nil
}

func (r *run) execute(f *file) error {
	if err := checkEncoding(f.Script); err != nil {
		return err
	}
	for s, err := range sqltext.Statements(f.SQL) {
		if err == nil && s.Command != "" {
			err = r.command(f, s)
		} else if err == nil {
			err = r.statement(f, s)
		}
		if err != nil {
			return errorIn(f, s, err)
		}
		if f.quit {
			return nil
		}
	}
	return nil
}

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

// statement executes SQL, or passes it over with a note.
func (r *run) statement(f *file, s sqltext.Statement) error {
	if why, err := r.needless(f, s); err != nil {
		return err
	} else if why != "" {
		r.note(fmt.Sprintf("%s:%d: passed over %s: %s", f.Name, s.Line, strings.TrimSuffix(s.Text, ";"), why))
		return nil
	}
	if err := r.checkText(f, s); err != nil {
		return err
	}
	conn := r.conn.PgConn()
	idle := conn.TxStatus() == 'I'
	var err error
	if s.FromStdin {
		_, err = conn.CopyFrom(r.ctx, strings.NewReader(s.Data), s.Text)
	} else {
		_, err = conn.Exec(r.ctx, s.Text).ReadAll()
	}
	if idle {
		r.open = s.Line
	}
	return err
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
