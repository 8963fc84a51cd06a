package cells_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// nasty are variables that pgx reads, as people and CI have them for other servers.
var nasty = []string{
	"PGTZ=Asia/Tokyo", "PGAPPNAME=mine", "PGOPTIONS=-c default_transaction_read_only=on", "PGTARGETSESSIONATTRS=standby",
	"PGREQUIREAUTH=scram-sha-256", "PGCHANNELBINDING=require", "PGSERVICE=nosuch", "PGHOST=nosuch", "PGUSER=nosuch",
	"PGPASSWORD=x", "PGCONNECT_TIMEOUT=x", "PGSSLMODE=verify-full", "PGDATABASE=nosuch", "PGMINPROTOCOLVERSION=3.2",
}

// TestEnvironment has a test process with variables for another server make a template and use it.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	if os.Getenv("PGTZ") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestEnvironment$", "-test.v")
		cmd.Env = append(os.Environ(), nasty...)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestEnvironment") {
			t.Fatalf("with %s: %v\n%s", nasty, err, out)
		}
		return
	}
	const template = "CREATE TABLE t (at timestamptz); INSERT INTO t VALUES ('2020-01-01 00:00')"
	c := mustOpenWith(t, template, func(c *cells.Config) { c.Ahead = cells.AheadOff })
	for range 3 {
		mustUse(t, c, func(l *cells.Lease) {
			own, err := l.OwnPool(func(*pgxpool.Config) {})
			if err != nil {
				t.Fatal(err)
			}
			for _, pool := range []*pgxpool.Pool{l.Pool(), own} {
				var got string
				const find = "SELECT concat_ws('|', at AT TIME ZONE 'UTC', current_setting('timezone'), current_setting('application_name')) FROM t"
				const want = "2020-01-01 00:00:00|UTC|"
				if err := pool.QueryRow(t.Context(), find).Scan(&got); err != nil || got != want {
					t.Errorf("got %q, %v; want %q", got, err, want)
				}
				if _, err := pool.Exec(t.Context(), "INSERT INTO t VALUES (now())"); err != nil {
					t.Error(err)
				}
				if _, err := pool.Exec(t.Context(), "DELETE FROM t WHERE at > '2021-01-01'"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	l := mustTake(t, c)
	defer l.Keep()
	mustRun(t, l, "INSERT INTO t VALUES ('1999-12-31')")
	var dump strings.Builder
	if err := l.Dump(t.Context(), &dump, 1<<20); err != nil || !strings.Contains(dump.String(), "1999-12-31") {
		t.Errorf("Dump: %v, %s", err, &dump)
	}
}
