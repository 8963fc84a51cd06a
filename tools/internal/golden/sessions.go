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
var sessionsQuery = `SELECT coalesce((
  SELECT what || ' asks for sessions' FROM (` + definitions + `) AS d (what, text, function) WHERE text ~* $1 ORDER BY what LIMIT 1), '')`
