package session

import (
	"strings"

	"github.com/pgcell/pgcell/tools/internal/sqltext"
)

// A session goes on to the next test only if each statement that it was sent begins with one of these words. What such
// a statement leaves in a session, DISCARD ALL takes back; what it leaves in the database, the database's own counters
// tell. SET and RESET are not among them: a parameter with a dot in its name, such as app.tenant, is empty afterwards,
// where it is NULL in a new session. SET TRANSACTION and SET CONSTRAINTS are, since they end with the transaction.
var harmless = words("select insert update delete merge values table with copy" +
	" begin start commit end rollback abort savepoint release" +
	" declare fetch move close listen unlisten notify lock explain show call analyze vacuum")

// catalog are the first words of statements that change catalogs. The counters of the database tell whether they did;
// if so, its sessions end with it.
var catalog = words("create alter drop truncate comment grant revoke reindex cluster refresh reassign security import")

// setting are names that must not be anywhere in a statement, nor in a template's expressions, quoted or not: functions and a
// view that set a parameter, and functions that execute a text which they are given.
var setting = words("set_config setseed set_limit pg_settings" +
	" query_to_xml query_to_xmlschema query_to_xml_and_xmlschema ts_stat ts_rewrite" +
	" crosstab crosstabn crosstab2 crosstab3 crosstab4 connectby xpath_table")

func words(s string) map[string]bool {
	all := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		all[w] = true
	}
	return all
}

// Harmless reports what the statements of a text may leave behind: doubt says why the session must not serve another
// client, "" if it may; ddl tells of a statement that probably changes catalogs.
func Harmless(sql string) (doubt string, ddl bool) {
	var one statement
	lexer := sqltext.New(sql)
	for {
		t := lexer.Next()
		if doubt := forbidden(t); doubt != "" {
			return doubt, ddl
		}
		if t.Kind != sqltext.EOF && !t.IsSymbol(";") {
			one.add(t)
			continue
		}
		doubt, changes := one.judge()
		if doubt != "" {
			return doubt, ddl
		}
		ddl = ddl || changes
		if t.Kind == sqltext.EOF {
			return "", ddl
		}
		one = statement{}
	}
}

// forbidden says why a token must not be in any statement or code; "" if it may.
func forbidden(t sqltext.Token) string {
	switch t.Kind {
	case sqltext.Error, sqltext.Backslash:
		return "a text that cannot be read"
	case sqltext.Quoted:
		if t.Text[0] != '"' { // U&"..." may spell any name
			return "a name in Unicode escapes"
		}
	case sqltext.Word:
	default:
		return ""
	}
	if name, ok := t.Ident(); !ok || setting[name] {
		return name
	}
	return ""
}

// statement holds what matters of one.
type statement struct {
	first, second string
	unlessThere   bool // IF [NOT] EXISTS
	previous      sqltext.Token
}

func (s *statement) add(t sqltext.Token) {
	switch {
	case s.first == "" && t.IsSymbol("("): // (SELECT ...)
		return
	case s.first == "":
		s.first = t.Lower()
		if t.Kind != sqltext.Word {
			s.first = t.Text
		}
	case s.second == "":
		s.second = t.Lower()
	}
	if t.Is("exists") && s.previous.Is("if", "not") {
		s.unlessThere = true
	}
	s.previous = t
}

func (s *statement) judge() (doubt string, ddl bool) {
	switch {
	case s.first == "", harmless[s.first]:
		return "", false
	case s.first == "set" && (s.second == "transaction" || s.second == "constraints"):
		return "", false
	case catalog[s.first]:
		return "", !s.unlessThere
	}
	return "a statement that begins with " + strings.ToUpper(s.first), false
}

// HarmlessExpression says why a default, a policy or another expression of a template may leave something in a session,
// "" if it does not. It must not call a function that the template defines.
func HarmlessExpression(text string) (doubt string) {
	lexer := sqltext.New(text)
	for t := lexer.Next(); t.Kind != sqltext.EOF; t = lexer.Next() {
		if doubt := forbidden(t); doubt != "" {
			return doubt
		}
	}
	return ""
}
