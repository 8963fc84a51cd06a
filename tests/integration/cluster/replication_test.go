package cluster_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// logicalServer is a private server that writes what logical decoding needs, and at once: decoding reads what has
// been flushed, and servers for tests otherwise leave that for later.
func logicalServer(t *testing.T) *pgcell.PrivateServer {
	t.Helper()
	return pgcell.Server(t, pgcell.ServerConfig{Settings: map[string]string{
		"wal_level": "logical", "synchronous_commit": "on"}})
}

// decodingSlot makes a slot with the plugin test_decoding, which prints changes as text; it skips the test where
// that is not installed.
func decodingSlot(t *testing.T, q check.Querier, name string) {
	t.Helper()
	_, err := q.Exec(t.Context(), `SELECT pg_create_logical_replication_slot($1, 'test_decoding')`, name)
	if err != nil && strings.Contains(err.Error(), "test_decoding") {
		t.Skipf("test_decoding is not part of this PostgreSQL installation: %v", err)
	}
	if err != nil {
		t.Fatalf("create slot %q: got error %v, want none", name, err)
	}
}

// changes takes what has happened since the last call from a slot, without the transactions' numbers.
const changes = `SELECT data FROM pg_logical_slot_get_changes('changes', NULL, NULL,
	'include-xids', '0', 'skip-empty-xacts', '1')`

// Logical decoding gives every committed change in the order of commits, and nothing of what was rolled back.
func TestLogicalDecoding(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, logicalServer(t).Config())
	check.Exec(t, conn, `CREATE TABLE users (id int PRIMARY KEY, name text)`)
	decodingSlot(t, conn, "changes")
	check.Exec(t, conn, `INSERT INTO users VALUES (1, 'ann')`)
	check.Exec(t, conn, `BEGIN; INSERT INTO users VALUES (2, 'undone'); ROLLBACK`)
	check.Exec(t, conn, `BEGIN; UPDATE users SET name = 'Ann'; DELETE FROM users; COMMIT`)
	check.Values(t, conn, []string{
		"BEGIN", "table public.users: INSERT: id[integer]:1 name[text]:'ann'", "COMMIT",
		"BEGIN", "table public.users: UPDATE: id[integer]:1 name[text]:'Ann'",
		"table public.users: DELETE: id[integer]:1", "COMMIT",
	}, changes)
	check.Values[string](t, conn, nil, changes) // taken once
}

// Peeking leaves the changes in the slot; the slot holds its place, and the changes, over a restart.
func TestSlotSurvivesRestart(t *testing.T) {
	t.Parallel()
	server := logicalServer(t)
	check.Exec(t, server.Pool(), `CREATE TABLE users (id int)`)
	decodingSlot(t, server.Pool(), "changes")
	check.Exec(t, server.Pool(), `INSERT INTO users VALUES (1)`)
	peek := strings.Replace(changes, "get_changes", "peek_changes", 1) + ` WHERE data LIKE 'table%'`
	want := []string{"table public.users: INSERT: id[integer]:1"}
	check.Values(t, server.Pool(), want, peek)
	if err := server.Restart(t.Context()); err != nil {
		t.Fatalf("restart: got error %v, want none", err)
	}
	check.Values(t, server.Pool(), want, peek)
	check.Exec(t, server.Pool(), `SELECT pg_drop_replication_slot('changes')`)
	check.Value(t, server.Pool(), 0, `SELECT count(*) FROM pg_replication_slots`)
}

// REPLICA IDENTITY says how much of an old row an UPDATE or DELETE tells; a table without any in a publication
// takes neither.
func TestReplicaIdentity(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, logicalServer(t).Config())
	check.Exec(t, conn,
		`CREATE TABLE orders (id int, n int); INSERT INTO orders VALUES (1, 5); CREATE PUBLICATION p FOR TABLE orders`)
	check.Fails(t, conn, "55000", `UPDATE orders SET n = 6`)
	check.Exec(t, conn, `ALTER TABLE orders REPLICA IDENTITY FULL`)
	decodingSlot(t, conn, "changes")
	check.Exec(t, conn, `UPDATE orders SET n = 6`)
	check.Values(t, conn, []string{
		"table public.orders: UPDATE: old-key: id[integer]:1 n[integer]:5 new-tuple: id[integer]:1 n[integer]:6"},
		changes+` WHERE data LIKE 'table%'`)
}

// A message in the log reaches consumers without any table: an outbox that is never vacuumed.
func TestLogicalMessages(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, logicalServer(t).Config())
	decodingSlot(t, conn, "changes")
	check.Exec(t, conn, `SELECT pg_logical_emit_message(true, 'outbox', 'order 7 paid')`)
	check.Values(t, conn, []string{"message: transactional: 1 prefix: outbox, sz: 12 content:order 7 paid"},
		changes+` WHERE data LIKE 'message%'`)
}

// pgoutput, the plugin of logical replication itself, sends binary messages: begin, relation, insert, commit.
func TestPgoutput(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, logicalServer(t).Config())
	check.Exec(t, conn,
		`CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE secret (id int); CREATE PUBLICATION p FOR TABLE users`)
	check.Exec(t, conn, `SELECT pg_create_logical_replication_slot('changes', 'pgoutput')`)
	check.Exec(t, conn, `INSERT INTO users VALUES (1), (2); INSERT INTO secret VALUES (3)`)
	messages := check.Column[[]byte](t, conn, `
		SELECT data FROM pg_logical_slot_get_binary_changes('changes', NULL, NULL, 
			'proto_version', '1', 'publication_names', 'p')`)
	var kinds strings.Builder
	for _, message := range messages {
		kinds.WriteByte(message[0])
	}
	check.Equal(t, "kinds of messages", kinds.String(), "BRIIC")
}

// A subscription copies a publication's table and then follows it, here from one database of the server to another.
func TestSubscription(t *testing.T) {
	t.Parallel()
	server := logicalServer(t)
	check.Exec(t, server.Pool(), `CREATE DATABASE target`)
	config := server.Config()
	config.Database = "target"
	source, target := check.Conn(t, server.Config()), check.Conn(t, config)
	for _, conn := range []*pgx.Conn{source, target} {
		check.Exec(t, conn, `CREATE TABLE users (id int PRIMARY KEY, name text)`)
	}
	check.Exec(t, source, `INSERT INTO users VALUES (1, 'ann'); CREATE PUBLICATION p FOR TABLE users`)
	// Within one server the slot is made beforehand: CREATE SUBSCRIPTION would wait for its own transaction.
	check.Exec(t, source, `SELECT pg_create_logical_replication_slot('s', 'pgoutput')`)
	check.Exec(t, target,
		`CREATE SUBSCRIPTION s CONNECTION '`+server.URL()+`' PUBLICATION p WITH (create_slot = false)`)
	names := `SELECT coalesce(string_agg(name, ' ' ORDER BY id), '') FROM users`
	check.Until(t, "the row that was there is copied",
		func() bool { return check.One[string](t, target, names) == "ann" })
	check.Exec(t, source, `INSERT INTO users VALUES (2, 'bob'); UPDATE users SET name = 'Ann' WHERE id = 1`)
	check.Until(t, "changes follow", func() bool { return check.One[string](t, target, names) == "Ann bob" })
	check.Exec(t, target, `DROP SUBSCRIPTION s`)
}

// Without wal_level = logical there is no logical slot; a physical one needs less, and holds the log back for a
// standby.
func TestPhysicalSlot(t *testing.T) {
	t.Parallel()
	admin := pgcell.Server(t, pgcell.ServerConfig{Settings: map[string]string{
		"wal_level": "replica", "max_replication_slots": "2"}}).Pool()
	check.Fails(t, admin, "55000", `SELECT pg_create_logical_replication_slot('changes', 'pgoutput')`)
	check.Exec(t, admin, `SELECT pg_create_physical_replication_slot('standby', true)`)
	check.Value(t, admin, "physical, reserved", `SELECT slot_type || ', ' || wal_status FROM pg_replication_slots`)
	check.Fails(t, admin, "42710", `SELECT pg_create_physical_replication_slot('standby')`)
	check.Exec(t, admin, `SELECT pg_create_physical_replication_slot('second')`)
	check.Fails(t, admin, "53400", `SELECT pg_create_physical_replication_slot('third')`)
}

// The write-ahead log moves with every write, and can be switched to a new file.
func TestWriteAheadLog(t *testing.T) {
	t.Parallel()
	admin := check.Conn(t, pgcell.Server(t).Config())
	before := check.One[string](t, admin, `SELECT pg_current_wal_insert_lsn()::text`)
	check.Exec(t, admin, `CREATE TABLE items (n int); INSERT INTO items SELECT generate_series(1, 1000)`)
	written := check.One[int](t, admin, `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1::text::pg_lsn)::int`,
		before)
	if written < 1000*27 {
		t.Errorf("log written for 1000 rows: got %d bytes, want at least 27 for each", written)
	}
	file := check.One[string](t, admin, `SELECT pg_walfile_name(pg_current_wal_lsn())`)
	check.Exec(t, admin, `SELECT pg_switch_wal()`)
	check.Exec(t, admin, `INSERT INTO items VALUES (1); CHECKPOINT`)
	if after := check.One[string](t, admin, `SELECT pg_walfile_name(pg_current_wal_lsn())`); after == file {
		t.Errorf("file of the log after a switch: got %s again, want another", after)
	}
}
