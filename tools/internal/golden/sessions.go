package golden

import "strings"

// Views and functions that tell of the sessions of a database, or end them. They are written with spaces here, so that
// a test binary contains the names only if it has them from elsewhere: whoever looks for them in it finds none of ours.
var (
	ActivityView     = spelt("pg stat activity")
	ActivityFunction = spelt("pg stat get activity")
	TerminateBackend = spelt("pg terminate backend")
	BackendSet       = spelt("pg stat get backend idset")
	BackendPID       = spelt("pg stat get backend pid")
	BackendDatabase  = spelt("pg stat get backend dbid")

	// AboutSessions are the beginnings of all such names.
	AboutSessions = []string{
		ActivityView, ActivityFunction, TerminateBackend,
		spelt("pg cancel backend"), spelt("pg stat get backend"), spelt("pg stat database"), spelt("pg stat get db num"),
	}
)

func spelt(name string) string { return strings.ReplaceAll(name, " ", "_") }

// sessionsQuery says what of the template asks for sessions: tests that use it would see those of pgcell's in a cell that
// is used again, and no statement of theirs tells that they do. $1 is a regular expression.
const sessionsQuery = `
SELECT coalesce(
  (SELECT format('function %s asks for sessions', p.oid::regprocedure) FROM pg_proc p
   WHERE p.oid >= 16384 AND p.prokind <> 'a' AND pg_get_functiondef(p.oid) ~* $1 ORDER BY p.oid LIMIT 1),
  (SELECT format('view %s asks for sessions', c.oid::regclass) FROM pg_class c
   WHERE c.oid >= 16384 AND c.relkind IN ('v', 'm') AND pg_get_viewdef(c.oid) ~* $1 ORDER BY c.oid LIMIT 1),
  '')`
