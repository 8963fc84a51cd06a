// Package golden builds golden clusters: a stopped data directory that holds a migrated, sealed template database, in one
// file.
//
// Goals: the migrations run once for all; the template is named by what made it, so that equal inputs give equal names on
// every machine.
//
// Non-goals: keeping the file for another major version of PostgreSQL.
package golden

import (
	"github.com/pgcell/pgcell/tools/internal/archive"
	"github.com/pgcell/pgcell/tools/internal/keeper"
)

// sourceKind is how the keeper of a server knows what to fill its data directory with.
const sourceKind = "golden"

func init() {
	keeper.Become(map[string]keeper.Fill{sourceKind: archive.Unpack})
}

// Source gives what [postgres.Config] needs to start a server on the golden cluster in a file; path is absolute.
func Source(path string) keeper.Source { return keeper.Source{Kind: sourceKind, Path: path} }
