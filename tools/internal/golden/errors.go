package golden

import (
	"fmt"
)

// MigrationError says that a migration, the migrator or a seed failed.
type MigrationError struct {
	Err  error  // a [*psql.Error], or what the migrator said
	Hint string // what to do; may be ""
}

func (e *MigrationError) Error() string {
	if e.Hint == "" {
		return e.Err.Error()
	}
	return e.Err.Error() + "\n    HINT: " + e.Hint
}

func (e *MigrationError) Unwrap() error { return e.Err }

// CannotKeep says that there is no cache directory to write to.
func CannotKeep(err error) error {
	return fmt.Errorf("keep golden cluster: %w; set PGCELL_CACHE to a directory that can be written to", err)
}
