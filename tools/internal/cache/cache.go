// Package cache keeps golden clusters that no Bazel rule makes, in the user's cache directory.
package cache

import (
	"context"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/golden"
)

// Golden gives the path of a recipe's golden cluster in [Dir], and builds it where it is not there yet. [Environ]
// says how the server runs that builds it. note is told what of the
// scripts is passed over.
//
// Errors: those of [golden.Cached] and [Dir]. Cost: that of [golden.Build], or about 1 ms.
func Golden(ctx context.Context, install binaries.Install, r golden.Recipe, note func(string)) (string, error) {
	e, err := ReadEnviron()
	if err != nil {
		return "", err
	}
	dir, err := Dir()
	if err != nil {
		return "", golden.CannotKeep(err)
	}
	return golden.Cached(ctx, dir, install, r, golden.Options{SocketParent: e.SocketParent, Containment: e.Containment, Note: note})
}
