// Package psql runs a SQL script on one connection, as psql does: statements, data of COPY, the commands of psql that
// dumps and migrations use.
//
// Non-goals: variables, conditions and output of psql; dumps in another format than the plain one.
package psql

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

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
