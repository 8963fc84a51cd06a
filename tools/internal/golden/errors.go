package golden

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// MigrationError says that a migration, the migrator or a seed failed.
type MigrationError struct {
	Err  error  // a [*ScriptError], or what the migrator said
	Hint string // what to do; may be ""
}

func (e *MigrationError) Error() string {
	if e.Hint == "" {
		return e.Err.Error()
	}
	return e.Err.Error() + "\n    HINT: " + e.Hint
}

func (e *MigrationError) Unwrap() error { return e.Err }

// ScriptError says where a migration or a seed failed, and what PostgreSQL said.
type ScriptError struct {
	Name string // of the script
	Line int    // in it, from 1
	Err  error  // often a *pgconn.PgError
	// Remedy is what to do, if it is known and PostgreSQL cannot say it.
	Remedy string
}

func (e *ScriptError) Error() string {
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

func (e *ScriptError) Unwrap() error { return e.Err }

// CannotKeep says that there is no cache directory to write to.
func CannotKeep(err error) error {
	return fmt.Errorf("keep golden cluster: %w; set PGCELL_CACHE to a directory that can be written to", err)
}

// DamagedError says that a file is no golden cluster, or no whole one.
type DamagedError struct {
	Path string
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("read golden cluster %q: it is damaged (%v); delete it, or build its target again with "+
		"--nouse_action_cache, so that it is made anew", e.Path, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// Damaged tells a keeper, which passes errors on as text, what kind of error this is.
func (e *DamagedError) Damaged() bool { return true }
