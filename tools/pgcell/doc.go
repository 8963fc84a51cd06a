// Package pgcell gives each test a PostgreSQL database of its own.
//
//	func TestInsert(t *testing.T) {
//		t.Parallel()
//		cell := pgcell.New(t)
//		_, err := cell.Pool().Exec(t.Context(), "INSERT INTO users (name) VALUES ('Ada')")
//		...
//	}
//
// The database, called a cell, is a clone of a template in which the migrations have run already. Under Bazel the
// template comes from the rule pg_template. Under plain go test it comes from [Config]. Without either, a cell is an
// empty database. The server is private to the test process. It starts at the first call and ends with the process,
// however the process ends. If PGCELL_SERVER names a server that others manage, cells are databases there instead.
//
// Every function that takes a [TB] fails the test itself, returns no error, and registers its own cleanup. These
// functions may be called from parallel tests. Call them only from the test's own goroutine, because they may call
// Fatalf.
//
// # Environment
//
//	PGCELL_TEMPLATE     golden cluster to clone from; set by pg_go_test
//	PGCELL_POSTGRES     directory of a PostgreSQL installation, the one that holds bin/; default: search
//	PGCELL_CONTAINMENT  auto (default), namespaces or watchdog: how the server is kept from outliving the test
//	PGCELL_SERVER       URL of a server that others manage, for cells there: see docs/how-to/existing-server.md
//	PGCELL_STORAGE      auto (default), memory or disk: where the server's data lies; auto takes memory if there is room
//	PGCELL_SOCKET_DIR   where socket directories are made; short; default /tmp
//	PGCELL_CACHE        where a plain go test keeps golden clusters; default pgcell/golden in the user's cache
//	PGCELL_RECYCLE      auto (default), never or verify: whether cells are used again; verify compares each with a new clone
//	PGCELL_KEEP         1 keeps the server of a failed test until Ctrl-C, or until its directory is removed
//	PGCELL_LOG          1 logs which server and template were chosen, as go test -v does
//	PGCELL_TIMES        file of recorded times that shards are balanced by; set by pg_go_test
//	PGCELL_SHARD_PLAN   off leaves the division of tests among shards to rules_go; default on
//	PGCELL_EXISTING_SERVER  1 allows PGCELL_SERVER under Bazel; set by pg_go_test(existing_server = True)
//	PGCELL_KEEPER       set by this package in the process that holds the server, which is the test program once more
//	PGCELL_LISTING      set by this package in a process that runs TestMain only up to m.Run, to list the tests
package pgcell
