package pgcell

import (
	"os"
	"strings"
)

// emptyTemplate ends the path of the template that pg_go_test uses by default.
const emptyTemplate = "tools/rules/empty.pgcell"

// emptyHint says why a test's database began empty, and what to do if that was not intended. It is "" if the database had
// a schema, or if the test asked for an empty one.
func (c Config) emptyHint() string {
	const empty = "the database was empty when the test began"
	switch {
	case c.Empty || c.Migrations != nil || c.Migrate != nil:
		return ""
	case !c.fromRule():
		return empty + ", since Config has neither Migrations nor Migrate"
	case strings.HasSuffix(os.Getenv("PGCELL_TEMPLATE"), emptyTemplate):
		return empty + ", since its pg_go_test has no template"
	}
	return ""
}
