package binaries

import (
	"fmt"
	"strings"
)

// InstallError says that a directory holds no PostgreSQL that can be used.
type InstallError struct {
	Dir     string  // the directory looked at
	Version Version // zero where it could not be told
	Reason  string
}

func (e *InstallError) Error() string {
	return fmt.Sprintf("inspect PostgreSQL in %q: %s; set PGCELL_POSTGRES to the directory of an installation "+
		"(the one that holds bin/postgres)", e.Dir, e.Reason)
}

// NotFoundError says that no supported PostgreSQL was found.
type NotFoundError struct {
	Looked []string        // bin directories that exist but did not serve
	Unfit  []*InstallError // installations of an unsupported version
}

func (e *NotFoundError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "find PostgreSQL: no version from %d to %d on PATH, through pg_config, or in the usual directories",
		MinMajor, MaxMajor)
	for _, u := range e.Unfit {
		fmt.Fprintf(&b, "; %s holds %v", u.Dir, u.Version)
	}
	b.WriteString("; install it (Debian: apt-get install postgresql; Homebrew: brew install postgresql@18), " +
		"or set PGCELL_POSTGRES to a directory that holds bin/postgres")
	return b.String()
}
