package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/pgcell/pgcell/tools/internal/archive"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/keeper"
)

// rebuilding is held while a golden cluster is made anew.
var rebuilding sync.Mutex

// Start starts a server on the golden cluster at path. If that is of no use, because a full disk has cut it short, somebody
// has deleted it, or its PostgreSQL has got other collations since, it is built again, and the server is started on that.
// build is nil for one that is not ours to build. It may be called concurrently.
//
// Errors: those of start and build.
func Start[S any](
	ctx context.Context, path string, build func(context.Context) (string, error), start func(context.Context, string) (S, error),
) (S, error) {
	server, err := start(ctx, path)
	if err == nil || build == nil || !damaged(err) {
		return server, err
	}
	rebuilding.Lock()
	defer rebuilding.Unlock()
	if server, err = start(ctx, path); err == nil || !damaged(err) { // another start may have built it
		return server, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return server, fmt.Errorf("remove damaged golden cluster: %w", err)
	}
	if path, err = build(ctx); err != nil {
		return server, err
	}
	return start(ctx, path)
}

// damaged reports whether a server did not start for want of a golden cluster that serves.
func damaged(err error) bool {
	var failed *keeper.ServerError
	var file *archive.DamagedError
	var collation *golden.CollationError
	return errors.As(err, &collation) || errors.As(err, &failed) && failed.Damaged || errors.As(err, &file) ||
		errors.Is(err, fs.ErrNotExist)
}
