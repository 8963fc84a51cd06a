package psql

import (
	"errors"
	"regexp"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/sqltext"
)

// dumpKind says which tool of PostgreSQL wrote a script.
type dumpKind int

const (
	noDump       dumpKind = iota
	databaseDump          // pg_dump
	clusterDump           // pg_dumpall
)

var dumpHeader = regexp.MustCompile(`(?m)^-- PostgreSQL database (cluster )?dump\r?$`)

// dumpHeaderSize is how far into a file the header of a dump is looked for.
const dumpHeaderSize = 1000

func findDump(sql string) dumpKind {
	switch found := dumpHeader.FindStringSubmatch(sql[:min(len(sql), dumpHeaderSize)]); {
	case found == nil:
		return noDump
	case found[1] != "":
		return clusterDump
	}
	return databaseDump
}

// needless says why a statement is to be passed over, "" if it is to run. So the dump of a newer server loads, and one
// of a schema or a role that is there already.
func (r *run) needless(f *file, s sqltext.Statement) (why string, err error) {
	l := sqltext.New(s.Text)
	first, second, name, last := l.Next(), l.Next(), l.Next(), l.Next()
	bare := last.Kind == sqltext.EOF || last.IsSymbol(";")
	ident, _ := name.Ident()
	switch {
	case first.Is("set") && f.dump != noDump && (name.IsSymbol("=") || name.Is("to")):
		return r.exists(unknownParameterQuery, second.Lower())
	case first.Is("create") && second.Is("schema") && bare && ident == "public":
		return r.exists("SELECT 'the schema exists' FROM pg_catalog.pg_namespace WHERE nspname = $1", ident)
	case first.Is("create") && second.Is("role") && bare && f.dump == clusterDump:
		return r.exists("SELECT 'the role exists' FROM pg_catalog.pg_roles WHERE rolname = $1", ident)
	}
	return "", nil
}

// exists runs a query that gives one text or none. A transaction that has failed has none: the statement will say so.
func (r *run) exists(sql, name string) (string, error) {
	if r.conn.PgConn().TxStatus() == 'E' {
		return "", nil
	}
	var why string
	err := r.conn.QueryRow(r.ctx, sql, pgx.QueryExecModeExec, name).Scan(&why)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return why, err
}

const unknownParameterQuery = `
SELECT 'PostgreSQL ' || current_setting('server_version') || ' has no such parameter'
WHERE current_setting($1, true) IS NULL`

// undefined lists PostgreSQL's error codes for a schema, a table, a function or another object that does not exist.
var undefined = []string{"3F000", "42P01", "42883", "42704"}

// cleanStatement matches what pg_dump --clean writes before it creates anything. It replaces a view on which others
// depend by an empty one.
var cleanStatement = regexp.MustCompile(`(?s)^(DROP |ALTER TABLE .* DROP CONSTRAINT |CREATE OR REPLACE VIEW .* NULL::)`)

func cleans(s sqltext.Statement) bool { return cleanStatement.MatchString(s.Text) }
