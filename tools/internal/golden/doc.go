// Package golden builds, packs and unpacks golden clusters: a stopped data directory that holds a migrated, sealed
// template database, in one file.
//
// Goals: the migrations run once for all; the file is small (1-2 MB for 30 tables) and quick to unpack; its template is
// named by what made it, so that equal inputs give equal names on every machine; damage is noticed.
//
// Non-goals: equal bytes (initdb draws a system identifier); keeping the file for another major version of PostgreSQL.
//
// The format is a tar archive in a zstd stream with checksum. Its first entry, pgcell.json, is the [Manifest]; the
// others are the data directory.
package golden

import "github.com/pgcell/pgcell/tools/internal/postgres"

// sourceKind is how the keeper of a server knows what to fill its data directory with.
const sourceKind = "golden"

func init() {
	postgres.BecomeKeeper(map[string]postgres.Fill{sourceKind: unpack})
}

// Source gives what [postgres.Config] needs to start a server on the golden cluster in a file; path is absolute.
func Source(path string) postgres.Source { return postgres.Source{Kind: sourceKind, Path: path} }
