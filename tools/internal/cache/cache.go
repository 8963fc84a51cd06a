// Package cache keeps golden clusters that no Bazel rule makes, in the user's cache directory.
package cache

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/postgres"
)

// Golden gives the path of a recipe's golden cluster in [Dir], and builds it where it is not there yet. Variables of the
// environment, PGCELL_CONTAINMENT and PGCELL_SOCKET_DIR, say how the server runs that builds it. note is told what of the
// scripts is passed over.
//
// Errors: those of [golden.Cached] and [Dir]. Cost: that of [golden.Build], or about 1 ms.
func Golden(ctx context.Context, install postgres.Install, r golden.Recipe, note func(string)) (string, error) {
	how, err := postgres.ParseContainment(os.Getenv("PGCELL_CONTAINMENT"))
	if err != nil {
		return "", err
	}
	dir, err := Dir()
	if err != nil {
		return "", golden.CannotKeep(err)
	}
	return golden.Cached(ctx, dir, install, r, golden.Options{SocketParent: SocketParent(), Containment: how, Note: note})
}

// SocketParent is the directory in which the socket directories of servers are made; "" leaves it to them.
func SocketParent() string { return os.Getenv("PGCELL_SOCKET_DIR") }

// Spoiled reports whether a server did not start for lack of a whole golden cluster: a full disk has cut it short, or
// somebody has deleted it.
func Spoiled(err error) bool {
	var failed *postgres.ServerError
	var damaged *golden.DamagedError
	var collation *golden.CollationError
	return errors.As(err, &collation) || errors.As(err, &failed) && failed.Damaged || errors.As(err, &damaged) || errors.Is(err, fs.ErrNotExist)
}
