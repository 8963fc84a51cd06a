package psql

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/migrations"
	"github.com/pgcell/pgcell/tools/internal/sqltext"
)

// display lists psql's commands that change nothing but what psql prints, and those that pg_dump writes for psql alone.
var display = []string{
	`\restrict`, `\unrestrict`, `\echo`, `\qecho`, `\warn`, `\timing`, `\pset`, `\x`, `\t`, `\a`, `\f`, `\H`, `\C`, `\o`,
	`\out`, `\conninfo`, `\errverbose`, `\p`, `\print`,
}

// displayVariables lists psql's variables that change nothing but what it prints, or what it does after an error: a
// script ends at its first one here.
var displayVariables = []string{
	"ON_ERROR_STOP", "ON_ERROR_ROLLBACK", "ECHO", "ECHO_HIDDEN", "FETCH_COUNT", "HIDE_TABLEAM", "HIDE_TOAST_COMPRESSION",
	"HISTCONTROL", "HISTFILE", "HISTSIZE", "PROMPT1", "PROMPT2", "PROMPT3", "QUIET", "SHOW_ALL_RESULTS", "SHOW_CONTEXT", "VERBOSITY",
}

// maxIncludes is how deep files may include each other, which is deeper than any that do not include themselves.
const maxIncludes = 32

// command does what psql's commands in a script ask for, where this needs no psql.
func (r *run) command(f *file, s sqltext.Statement) error {
	args := strings.Fields(s.Args)
	first := ""
	if len(args) > 0 {
		first = strings.Trim(args[0], `'"`)
	}
	switch name := s.Command; {
	case strings.TrimSpace(s.Before) != "":
	case slices.Contains(display, name), strings.HasPrefix(name, `\d`), name == `\l`, name == `\list`:
		return nil
	case (name == `\set` || name == `\unset`) && slices.Contains(displayVariables, first):
		return nil
	case name == `\q`, name == `\quit`:
		f.quit = true
		return nil
	case name == `\c`, name == `\connect`:
		return r.connect(args, first)
	case name == `\encoding` && first != "":
		return r.exec("SET client_encoding TO " + pgx.Identifier{first}.Sanitize())
	case name == `\i`, name == `\include`, name == `\ir`, name == `\include_relative`:
		return r.include(f, name, strings.Trim(s.Args, `'"`))
	}
	return fmt.Errorf("%s is a command of psql, not SQL, and pgcell does not do it; write it as SQL, or %s",
		s.Command, howToRunPsql)
}

func (r *run) exec(sql string) error {
	_, err := r.conn.PgConn().Exec(r.ctx, sql).ReadAll()
	return err
}

// connect begins a new session with the same database and role, as far as DISCARD ALL makes one.
func (r *run) connect(args []string, database string) error {
	same := database == "" || database == "-" || database == r.conn.Config().Database
	if !same || slices.ContainsFunc(args[min(1, len(args)):], isOther) {
		return fmt.Errorf(`\connect %s leaves the template's database, the only one there is; dump a single database, `+
			"by pg_dump without --create, or take the line out, or %s", strings.Join(args, " "), howToRunPsql)
	}
	return r.exec("DISCARD ALL")
}

func isOther(arg string) bool { return arg != "-" }

// include runs a file that is declared among the migrations or the seeds.
func (r *run) include(f *file, command, name string) error {
	if f.deep == maxIncludes {
		return fmt.Errorf("%s %s: files include each other more than %d deep; take the circle out", command, name, maxIncludes)
	}
	found := findIncluded(f.Script, name, command == `\ir` || command == `\include_relative`)
	if found == nil {
		return fmt.Errorf("%s %s: no migration or seed has this name; add the file to them (it then runs where it is "+
			"included, and not by itself), or %s", command, name, howToRunPsql)
	}
	return r.execute(&file{Script: *found, dump: findDump(found.SQL), deep: f.deep + 1})
}

// findIncluded gives the script that a file includes by name: relative to the file, or, without relative, also to the
// directory that psql would be started in, which may be any above.
func findIncluded(script migrations.Script, name string, relative bool) *migrations.Script {
	var below *migrations.Script
	for i, s := range script.Includes {
		switch clean := path.Clean(name); {
		case s.Name == path.Join(path.Dir(script.Name), name), s.Name == clean && !relative:
			return &script.Includes[i]
		case !relative && strings.HasSuffix(s.Name, "/"+clean):
			below = &script.Includes[i]
		}
	}
	return below
}
