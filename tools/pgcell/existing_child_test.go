package pgcell_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"regexp"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/pgcell"
)

// existingEnv names the job of a child process whose cells are on a server that the test started.
const existingEnv = "PGCELL_TEST_EXISTING"

// existingJobs are what TestExistingChild does.
var existingJobs = map[string]func(*testing.T){
	"new": childNew, "open": childOpen, "tx": childTx, "parallel": childParallel, "many": childMany, "fail": childFail, "wait": childWait,
	"private":   func(t *testing.T) { pgcell.New(t, pgcell.Config{Private: true}) },
	"roles":     func(t *testing.T) { pgcell.New(t, pgcell.Config{Roles: []string{"reader"}}) },
	"settings":  func(t *testing.T) { pgcell.New(t, pgcell.Config{Settings: map[string]string{"wal_level": "logical"}}) },
	"locale":    func(t *testing.T) { pgcell.New(t, pgcell.Config{Locale: "C"}) },
	"superuser": func(t *testing.T) { pgcell.Tx(t, pgcell.Config{Superuser: true}) },
	"server":    func(t *testing.T) { pgcell.Server(t) },
	"plain":     func(t *testing.T) { pgcell.New(t) },
	"migrate":   childMigrate, "lose": childLose,
}

// TestExistingChild is the process with a server that others manage.
func TestExistingChild(t *testing.T) {
	job := existingJobs[os.Getenv(existingEnv)]
	if job == nil {
		t.Skip("runs as a child of other tests alone")
	}
	job(t)
}

// childNew takes cells in all ways that a test can.
func childNew(t *testing.T) {
	for range 2 {
		t.Run("test", func(t *testing.T) {
			cell, second, empty := pgcell.New(t, shop), pgcell.New(t, shop), pgcell.New(t, pgcell.Config{Empty: true})
			if !regexp.MustCompile(`^test_db_master_[0-9a-f]{12}$`).MatchString(cell.Name()) || second.Name() != cell.Name()+"_2" {
				t.Errorf("cells are %s and %s", cell.Name(), second.Name())
			}
			if got := os.Getenv("TEST_DB_NAME_2"); got != second.Name() {
				t.Errorf("TEST_DB_NAME_2 is %s, want %s", got, second.Name())
			}
			for c, want := range map[*pgcell.Cell]int{cell: 1, second: 1} {
				mustExecute(t, c, "INSERT INTO users (name) VALUES ('Grace')")
				if n := mustScan[int](t, c, "SELECT count(*) FROM users"); n != want+1 {
					t.Errorf("%d users, want %d", n, want+1)
				}
			}
			if n := mustScan[int](t, empty, "SELECT count(*) FROM pg_class WHERE relname = 'users'"); n != 0 {
				t.Error("an empty cell has the template's table")
			}
			var name string
			if err := cell.DB().QueryRow("SELECT current_user || current_database()").Scan(&name); err != nil || name != "app"+cell.Name() {
				t.Errorf("DB is of %q, %v", name, err)
			}
			conn, err := pgx.Connect(t.Context(), cell.URL())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.Background())
			if _, err := conn.Exec(t.Context(), "CREATE SCHEMA more; DROP TABLE users"); err != nil {
				t.Error(err)
			}
		})
	}
}

func mustExecute(t *testing.T, cell *pgcell.Cell, sql string) {
	t.Helper()
	if _, err := cell.Pool().Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func childOpen(t *testing.T) {
	cell, err := pgcell.Open(t.Context(), shop)
	if err != nil {
		t.Fatal(err)
	}
	if got := mustScan[string](t, cell, "SELECT name FROM users"); got != "Ada" {
		t.Errorf("name = %q, want Ada", got)
	}
	if err := cell.Close(); err != nil {
		t.Error(err)
	}
	if err := cell.Pool().Ping(t.Context()); err == nil {
		t.Error("the pool serves after Close")
	}
}

// childTx has many transactions at once, more than the server has connections.
func childTx(t *testing.T) {
	for range 60 {
		t.Run("tx", func(t *testing.T) {
			t.Parallel()
			tx := pgcell.Tx(t, shop)
			if _, err := tx.Exec(t.Context(), "INSERT INTO users (name) VALUES ('Grace')"); err != nil {
				t.Fatal(err)
			}
			var n int
			if err := tx.QueryRow(t.Context(), "SELECT count(*) FROM users").Scan(&n); err != nil || n != 2 {
				t.Errorf("%d users, %v; want 2", n, err)
			}
		})
	}
}

// childParallel has 50 tests at once, each with all connections that it may have.
func childParallel(t *testing.T) {
	for range 50 {
		t.Run("test", func(t *testing.T) {
			t.Parallel()
			cell := pgcell.New(t, shop)
			var group sync.WaitGroup
			for range 6 {
				group.Go(func() {
					if _, err := cell.Pool().Exec(t.Context(), "INSERT INTO users (name) SELECT 'a' FROM pg_sleep(0.02)"); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			if n := mustScan[int](t, cell, "SELECT count(*) FROM users"); n != 7 {
				t.Errorf("%d users, want 7", n)
			}
		})
	}
}

// childMany has tests that hold all of their connections until all have some, if that can be, more than the server has.
func childMany(t *testing.T) {
	var all sync.WaitGroup
	all.Add(8)
	everybody := make(chan struct{})
	go func() { all.Wait(); close(everybody) }()
	for range 8 {
		t.Run("test", func(t *testing.T) {
			t.Parallel()
			cell := pgcell.New(t, shop)
			for range 4 {
				conn, err := cell.Pool().Acquire(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Release()
			}
			all.Done()
			select {
			case <-everybody:
			case <-time.After(3 * time.Second):
			}
		})
	}
}

func childFail(t *testing.T) {
	mustExecute(t, pgcell.New(t, shop), "INSERT INTO users (name) VALUES ('Grace')")
	t.Error("red on purpose")
}

// childWait waits to be killed.
func childWait(t *testing.T) {
	cell, second := pgcell.New(t, shop), pgcell.New(t, shop)
	mustExecute(t, cell, "SELECT 1")
	fmt.Println("has", second.Name())
	select {}
}

// childMigrate has a migration that needs more rights than the role has.
func childMigrate(t *testing.T) {
	pgcell.New(t, pgcell.Config{Migrations: fstest.MapFS{"1_role.sql": {Data: []byte("SELECT 1;\nCREATE ROLE reader;")}}})
}

// childLose has a cell while the server goes away.
func childLose(t *testing.T) {
	cell := pgcell.New(t, shop)
	fmt.Println("has", cell.Name())
	bufio.NewReader(os.Stdin).ReadString('\n') // until the server is gone
	pgcell.New(t, shop)
}
