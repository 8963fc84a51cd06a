package conf

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/binaries"
)

// Port names the socket file, .s.PGSQL.<port>; each server has a directory of its own, so one number serves all.
const Port = 5432

// Superuser is the role that initdb makes.
const Superuser = "postgres"

// baseSettings are the settings of every server: nothing survives a crash of the machine, and nothing needs to.
// Each may be overridden by a server's own settings.
var baseSettings = map[string]string{
	// No write waits for storage.
	"fsync":              "off",
	"synchronous_commit": "off",
	// Or each commit wakes the WAL writer up, for it finds a whole page that was written and not flushed; now each page
	// does. With fsync off flushing costs nothing. Short tests that commit ran 12 to 39 % faster.
	"wal_writer_flush_after": "0",
	"full_page_writes":       "off",
	"wal_level":              "minimal",
	"max_wal_senders":        "0", // wal_level minimal demands it
	// The log must not eat the memory that cells need. A checkpoint for each 48 MB, as fast as it can go, keeps pg_wal
	// at 51 MB while 390 MB are written; spread out (0.9, the default), there were half as many MB between two. On
	// memory it takes 50 ms, and the writing no longer than with 1 GB; segments are new each time, so min_wal_size does
	// not matter.
	"checkpoint_timeout":              "1d",
	"max_wal_size":                    "48MB",
	"min_wal_size":                    "2MB",
	"checkpoint_completion_target":    "0",
	"checkpoint_warning":              "0",
	"log_checkpoints":                 "off", // each clone makes two, and the log's end is what errors show
	"wal_recycle":                     "off",
	"wal_init_zero":                   "off",
	"bgwriter_lru_maxpages":           "0",
	"autovacuum":                      "off", // a worker in a cell would make DROP DATABASE wait
	"max_logical_replication_workers": "0",
	"synchronize_seqscans":            "off", // a large table would be read from where an earlier test ended
	// Small, since there is one server a shard. PSS measured with PostgreSQL 15, 4 cells of 30 tables and 8 backends
	// that have used all of them: 60 MB where it is the machine's only server, 48 MB beside a second one, since 21 MB
	// are pages of binaries and libraries that all servers share. In MB: keeper 7, postmaster 13 (10 of them
	// libraries), checkpointer 1.0, background writer 0.7, walwriter 1.0, each backend 4.7 (2.1 its own, 0.8 binary,
	// the rest its part of shared memory). Shared memory is 18 in all; shared_buffers of 8MB make it 13. The autovacuum
	// and logical replication launchers do not run.
	"shared_buffers":             "16MB",
	"dynamic_shared_memory_type": "mmap", // in the data directory: it goes with it
	"huge_pages":                 "off",
	"jit":                        "off",
	// The same everywhere.
	"timezone":                   "UTC",
	"log_timezone":               "UTC",
	"default_text_search_config": "pg_catalog.english", // what initdb writes for locale C
	"listen_addresses":           "",
	"unix_socket_permissions":    "0700",
	"log_line_prefix":            "%m [%p] %q%u@%d ",
	"log_destination":            "stderr",
	"logging_collector":          "off",
}

// versionSettings are those that only some versions know.
func versionSettings(v binaries.Version) map[string]string {
	if v.Major >= 18 {
		return map[string]string{"io_method": "sync"} // worker, the default, is three more processes a server
	}
	return nil
}

// Server writes a whole postgresql.conf, sorted by name.
func Server(v binaries.Version, socketDir string, user map[string]string) []byte {
	all := maps.Clone(baseSettings)
	maps.Copy(all, versionSettings(v))
	if level := user["wal_level"]; level != "" && level != "minimal" {
		delete(all, "max_wal_senders")
		delete(all, "max_logical_replication_workers")
	}
	maps.Copy(all, user)
	limitConnections(all)
	all["unix_socket_directories"] = socketDir
	all["port"] = fmt.Sprint(Port)
	var b bytes.Buffer
	b.WriteString("# Written anew at every start by pgcell.\n")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "%s = '%s'\n", name, strings.ReplaceAll(all[name], "'", "''"))
	}
	return b.Bytes()
}

// Authentication is the whole pg_hba.conf. Only this user's processes reach the socket, whose directory has mode 0700.
// They connect as any role without a password. If protected is set, the superuser needs one; if roles is set, all do.
func Authentication(protected, roles bool) []byte {
	everybody := "local all,replication all trust\n"
	switch {
	case roles:
		return []byte("local all,replication all scram-sha-256\n")
	case protected:
		return []byte("local all,replication " + Superuser + " scram-sha-256\n" + everybody)
	}
	return []byte(everybody)
}

// MaxConnections is max_connections of a server whose settings do not name it: tests that wait for parallel subtests hold
// connections.
//
// Each takes some 14 kB, which tests of what needs none pay for too.
const MaxConnections = 640

// locks is how many objects PostgreSQL's default settings can lock: 64 for each of 100 connections. As many for each of
// MaxConnections would take 20 MB more.
const locks = 64 * 100

// limitConnections fills in what the user has not said of connections, and of the locks that they share.
func limitConnections(settings map[string]string) {
	if settings["max_connections"] == "" {
		settings["max_connections"] = fmt.Sprint(MaxConnections)
	}
	connections, err := strconv.Atoi(settings["max_connections"])
	if err != nil || connections <= 0 {
		return // the server says what is wrong
	}
	for _, name := range []string{"max_locks_per_transaction", "max_pred_locks_per_transaction"} {
		if settings[name] == "" {
			settings[name] = fmt.Sprint(max(20, locks/connections))
		}
	}
}
