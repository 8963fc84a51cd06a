package cells_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/golden"
)

func mustInstall(t testing.TB) binaries.Install {
	t.Helper()
	install, err := binaries.Find(context.Background(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	return install
}

// mustOpen starts a server whose template holds a table t with one row.
func mustOpen(t *testing.T, settings map[string]string) *cells.Cluster {
	t.Helper()
	install, path := mustInstall(t), filepath.Join(t.TempDir(), "x.pgcell")
	r := golden.Recipe{Migrations: []golden.Script{{Name: "t.sql", SQL: "CREATE TABLE t AS SELECT 1 AS id"}}}
	if err := golden.BuildFile(t.Context(), path, install, r, golden.Options{}); err != nil {
		t.Fatal(err)
	}
	c, err := cells.Open(t.Context(), cells.Config{Golden: path, Install: install, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// mustExec runs statements in a connection that stays open to the test's end.
func mustExec(t *testing.T, url string, statements ...string) {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	mustExecWith(t, config, statements...)
}

func mustExecWith(t *testing.T, config *pgx.ConnConfig, statements ...string) {
	t.Helper()
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	for _, sql := range statements {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// databases counts the databases of a name.
func databases(t *testing.T, c *cells.Cluster, name string) (n int) {
	t.Helper()
	if err := c.Admin().QueryRow(t.Context(), "SELECT count(*) FROM pg_database WHERE datname = $1", name).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTakeInParallel(t *testing.T) {
	t.Parallel()
	c := mustOpen(t, nil)
	var group sync.WaitGroup
	for i := range 12 {
		group.Go(func() {
			l, err := c.Take(t.Context(), cells.Request{Name: "cell_" + string(rune('a'+i)), Empty: i%2 == 0})
			if err != nil {
				t.Error(err)
				return
			}
			conn, err := pgx.Connect(t.Context(), l.URL())
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close(t.Context())
			var n int
			err = conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&n)
			if want := i % 2; err != nil || n != want {
				t.Errorf("cell %d: %d tables, %v; want %d", i, n, err, want)
			}
		})
	}
	group.Wait()
}

func TestErrors(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Ahead = cells.AheadOff })
	if _, err := c.Take(t.Context(), cells.Request{Name: "twice", Empty: false}); err != nil {
		t.Fatal(err)
	}
	_, err := c.Take(t.Context(), cells.Request{Name: "twice", Empty: false})
	if err == nil || !strings.Contains(err.Error(), `take a cell: name cell twice: ERROR: duplicate key`) {
		t.Errorf("Take of a name in use = %v", err)
	}
	if err := c.Server().Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = c.Take(t.Context(), cells.Request{Test: "TestX"})
	if err == nil || !strings.Contains(err.Error(), "take a cell: make cell ") {
		t.Errorf("Take without a server = %v", err)
	}
}

func TestOpenRefusesOtherVersion(t *testing.T) {
	t.Parallel()
	install, path := mustInstall(t), filepath.Join(t.TempDir(), "x.pgcell")
	if err := golden.BuildFile(t.Context(), path, install, golden.Recipe{}, golden.Options{}); err != nil {
		t.Fatal(err)
	}
	made := install.Version
	install.Version.Major++
	_, err := cells.Open(t.Context(), cells.Config{Golden: path, Install: install})
	for _, want := range []string{"start golden cluster", path, "was made with PostgreSQL " + made.String(), install.BinDir, "build it again"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open with another version = %v, want it to contain %q", err, want)
		}
	}
}
