package pgcell_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/pgcell"
)

func TestTxRollsBack(t *testing.T) {
	t.Parallel()
	for i := range 40 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			tx := pgcell.Tx(t, shop)
			if _, err := tx.Exec(t.Context(), "INSERT INTO users (name) VALUES ($1)", t.Name()); err != nil {
				t.Fatal(err)
			}
			var n int
			if err := tx.QueryRow(t.Context(), "SELECT count(*) FROM users").Scan(&n); err != nil || n != 2 {
				t.Errorf("%d users, %v; want Ada and this test's own", n, err)
			}
		})
	}
}

// TestTxOfMany has tests hold a transaction until all have one, as parents of parallel subtests do.
func TestTxOfMany(t *testing.T) {
	t.Parallel()
	var all, ended sync.WaitGroup
	for i := range 45 {
		all.Add(1)
		ended.Go(func() {
			f := &fakeTB{name: fmt.Sprint(t.Name(), i)}
			has := sync.OnceFunc(all.Done)
			f.run(func() {
				defer has()
				pgcell.Tx(f, shop)
				has()
				all.Wait()
			})
			if f.fatal != "" {
				t.Error(f.fatal)
			}
		})
	}
	ended.Wait()
}

// TestTxOfCommit has tests commit: these fail, and no other sees what they wrote, unless it ran at that moment.
func TestTxOfCommit(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]struct {
		end  func(pgx.Tx) error
		want string
	}{
		"method": {
			func(tx pgx.Tx) error {
				if err := tx.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), "use pgcell.New") {
					return fmt.Errorf("Commit() = %v", err)
				}
				return nil
			},
			"pgcell.Tx: the test has called Commit, which rolled its transaction back; use pgcell.New for code that commits",
		},
		"statement": {
			func(tx pgx.Tx) error { _, err := tx.Exec(t.Context(), "COMMIT"); return err },
			"pgcell.Tx: the test has ended its transaction by a statement, and other tests may have seen what it wrote; " +
				"use pgcell.New for code that commits",
		},
		"rollback": {func(tx pgx.Tx) error { return tx.Rollback(t.Context()) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := pgcell.Config{Migrations: fstest.MapFS{"1.sql": &fstest.MapFile{Data: []byte("CREATE TABLE " + name + " ()")}}}
			f := &fakeTB{name: t.Name()}
			f.run(func() {
				tx := pgcell.Tx(f, own)
				if _, err := tx.Exec(t.Context(), "INSERT INTO "+name+" DEFAULT VALUES"); err != nil {
					t.Error(err)
				}
				if err := run.end(tx); err != nil {
					t.Error(err)
				}
			})
			if f.fatal != run.want {
				t.Errorf("the test says %q, want %q", f.fatal, run.want)
			}
			var n int
			if err := pgcell.Tx(t, own).QueryRow(t.Context(), "SELECT count(*) FROM "+name).Scan(&n); err != nil || n != 0 {
				t.Errorf("the next test sees %d rows, %v", n, err)
			}
		})
	}
}

// TestTxLeavesNoSession has a test leave what no rollback takes back, and the next have the same connection.
func TestTxLeavesNoSession(t *testing.T) {
	t.Parallel()
	own := pgcell.Config{Migrations: fstest.MapFS{"1.sql": &fstest.MapFile{Data: []byte("CREATE TABLE session (id serial)")}}}
	pids := map[uint32]bool{}
	for _, leave := range []string{
		"SELECT 1", "SELECT pg_advisory_lock(42)", "PREPARE p AS SELECT 1", "SELECT nextval('session_id_seq')", "SET LOCAL app.tenant = '7'",
		"SET LOCAL timezone = 'Asia/Tokyo'", "LISTEN x", "SELECT 1",
	} {
		f := &fakeTB{name: t.Name()}
		f.run(func() {
			tx := pgcell.Tx(f, own)
			pids[tx.Conn().PgConn().PID()] = true
			for _, sql := range []string{leave, "SELECT timestamptz '2024-01-01'"} { // pgx keeps the plan of the latter
				rows, err := tx.Query(t.Context(), sql)
				if err != nil {
					t.Error(err)
					return
				}
				rows.Close()
			}
		})
		const find = `SELECT concat_ws(' ', current_setting('app.tenant', true), timestamptz '2024-01-01' AT TIME ZONE 'UTC',
  (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), (SELECT count(*) FROM pg_prepared_statements WHERE from_sql),
  (SELECT count(*) FROM pg_listening_channels()))`
		f = &fakeTB{name: t.Name()}
		f.run(func() {
			var got string
			tx := pgcell.Tx(f, own)
			if err := tx.QueryRow(t.Context(), find).Scan(&got); err != nil || got != "2024-01-01 00:00:00 0 0 0" {
				t.Errorf("after %s: %q, %v", leave, got, err)
			}
			if err := tx.QueryRow(t.Context(), "SELECT lastval()").Scan(new(int)); err == nil {
				t.Errorf("after %s the session knows of a sequence", leave)
			}
		})
	}
	if len(pids) > 5 {
		t.Errorf("8 tests had %d processes, want one for those that leave nothing", len(pids))
	}
}
