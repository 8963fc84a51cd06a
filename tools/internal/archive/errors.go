package archive

import (
	"fmt"
)

// DamagedError says that a file is no golden cluster, or no whole one.
type DamagedError struct {
	Path string
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("read golden cluster %q: it is damaged (%v); delete it, and Bazel or pgcell makes it anew; if a cache "+
		"gives it back damaged, delete it and build its target once with --disk_cache= --remote_cache=", e.Path, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// Damaged tells a keeper, which passes errors on as text, what kind of error this is.
func (e *DamagedError) Damaged() bool { return true }
