// Package drivers has tests with lib/pq use cells, and goleak look at what pgcell leaves. It is a module of its own, so
// that nobody else has to take these.
package drivers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/lib/pq"
	"go.uber.org/goleak"

	"github.com/pgcell/pgcell/tools/pgcell"
)

// TestMain has goleak ignore what docs/troubleshooting.md says, and nothing else.
func TestMain(m *testing.M) {
	os.Setenv("PGCELL_RECYCLE", "verify") // each cell that is used again is compared with a new clone
	ignored, err := documented("../../docs/troubleshooting.md")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, ignored...)
}

// documented reads what a page says that goleak is to ignore.
func documented(page string) (ignored []goleak.Option, err error) {
	text, err := os.ReadFile(page)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| goleak ") {
			continue
		}
		before := ""
		for _, one := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(line, -1) {
			name := one[1]
			switch {
			case strings.HasPrefix(name, "goleak.IgnoreTopFunction("):
				ignored = append(ignored, goleak.IgnoreTopFunction(strings.Split(name, `"`)[1]))
			case strings.HasPrefix(name, ".func"):
				ignored = append(ignored, goleak.IgnoreAnyFunction(before+name))
			case strings.Contains(name, "/"):
				ignored = append(ignored, goleak.IgnoreAnyFunction(name))
				before = name
			}
		}
	}
	if len(ignored) < 4 {
		return nil, fmt.Errorf("%s tells of %d goroutines for goleak to ignore, want 4 or more", page, len(ignored))
	}
	return ignored, nil
}

var migrations = fstest.MapFS{"1_bank.sql": {Data: []byte(`
CREATE TABLE tenant (id int PRIMARY KEY, name text);
INSERT INTO tenant SELECT i, 'Tenant ' || i FROM generate_series(1, 5) i;
CREATE TABLE account (
  id bigserial PRIMARY KEY, tenant_id int REFERENCES tenant DEFAULT current_setting('app.tenant', true)::int,
  name text UNIQUE, tags text[]
);
CREATE INDEX ON account USING gin (tags);
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
ALTER TABLE account FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON account USING (tenant_id = current_setting('app.tenant', true)::int);
CREATE TABLE log (at timestamptz DEFAULT now(), what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO log (what) VALUES (TG_OP); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON account FOR EACH ROW EXECUTE FUNCTION note();
`)}}

// statements are what tests execute; those with $1 get a number, as lib/pq's unnamed prepared statements do.
var statements = []string{
	"SET app.tenant = '%d'", "SELECT set_config('app.tenant', $1, false)", "SELECT set_config('app.tenant', $1, true)",
	"INSERT INTO account (name) VALUES ('n%d')", "RESET ALL", "DELETE FROM account WHERE id = $1", "TABLE log",
	"INSERT INTO account (name, tags) SELECT 'm' || i, array['a', i::text] FROM generate_series(1, %d) i",
	"UPDATE account SET tags = tags || 'x' WHERE id > $1", "SELECT * FROM account WHERE tags @> '{a}'",
	"INSERT INTO tenant VALUES (1%d, 'new')", "DELETE FROM tenant WHERE id > 5", "SELECT * FROM tenant FOR UPDATE",
	"LISTEN news", "NOTIFY news, '%d'", "SELECT pg_try_advisory_lock($1)", "PREPARE p AS SELECT %d", "EXECUTE p",
	"DEALLOCATE ALL", "DISCARD ALL", "SET search_path = pg_catalog", "SET ROLE pgcell", "ANALYZE account",
	"VACUUM account", "VACUUM log", "DECLARE c CURSOR WITH HOLD FOR SELECT * FROM tenant", "FETCH c",
	"SELECT nextval('account_id_seq')", "BEGIN; INSERT INTO account (name) VALUES ('both'); COMMIT",
	"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s", "ROLLBACK TO s",
}

// drastic have the cell dropped.
var drastic = []string{
	"CREATE TEMP TABLE account (id int)", "TRUNCATE account", "UPDATE tenant SET name = 'x' WHERE id = %d",
	"ALTER TABLE account ADD COLUMN c%d int", "CREATE TABLE t%d ()",
}

// TestPQ makes up tests whose statements go through lib/pq, on connections by URL. The next test's own connections, and
// lib/pq's, are to see nothing of them. PGCELL_TEST_RUNS is how many; PGCELL_TEST_SEED repeats them.
func TestPQ(t *testing.T) {
	runs, seed := 300, rand.Uint64()
	if n, err := strconv.Atoi(os.Getenv("PGCELL_TEST_RUNS")); err == nil {
		runs = n
	}
	if n, err := strconv.ParseUint(os.Getenv("PGCELL_TEST_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("PGCELL_TEST_SEED=%d PGCELL_TEST_RUNS=%d", seed, runs)
	for i := range runs {
		if !t.Run(fmt.Sprint(i), func(t *testing.T) { made(t, rand.New(rand.NewPCG(seed, uint64(i)))) }) {
			t.FailNow()
		}
	}
}

func made(t *testing.T, random *rand.Rand) {
	cell := pgcell.New(t, pgcell.Config{Migrations: migrations})
	db, err := sql.Open("postgres", cell.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	const look = "SELECT current_setting('app.tenant', true) IS NULL AND NOT EXISTS (SELECT FROM log)" +
		" AND (SELECT count(*) FROM tenant) = 5"
	var clean [3]bool
	err = errors.Join(db.QueryRow(look).Scan(&clean[0]), cell.DB().QueryRow(look).Scan(&clean[1]),
		cell.Pool().QueryRow(t.Context(), look).Scan(&clean[2]))
	if err != nil || clean != [3]bool{true, true, true} {
		t.Errorf("lib/pq, database/sql and pgx see a clean cell: %v, %v; want true of each", clean, err)
	}
	sources := []func() (*sql.Conn, error){
		func() (*sql.Conn, error) { return db.Conn(t.Context()) },
		func() (*sql.Conn, error) { return db.Conn(t.Context()) },
		func() (*sql.Conn, error) { return cell.DB().Conn(t.Context()) },
	}
	for range 1 + random.IntN(3) {
		conn, err := sources[random.IntN(len(sources))]()
		if err != nil {
			t.Fatal(err)
		}
		for range random.IntN(6) {
			t.Log(act(t.Context(), conn, random))
		}
		if random.IntN(20) > 0 {
			conn.Close()
		}
	}
}

// act does one thing, and tells what; errors of statements are part of it.
func act(ctx context.Context, conn *sql.Conn, random *rand.Rand) (what string, err error) {
	number := 1 + random.IntN(5)
	switch random.IntN(20) {
	case 0:
		return "COPY", copyIn(ctx, conn, number)
	case 1:
		ctx, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
		defer cancel()
		_, err = conn.ExecContext(ctx, "SELECT pg_sleep(1)")
		return "cancelled", err
	case 2:
		if random.IntN(3) == 0 {
			return execute(ctx, conn, drastic, random, number)
		}
	}
	return execute(ctx, conn, statements, random, number)
}

// execute executes one of some texts.
func execute(
	ctx context.Context, conn *sql.Conn, from []string, random *rand.Rand, number int,
) (what string, err error) {
	what = from[random.IntN(len(from))]
	if strings.Contains(what, "$1") {
		_, err = conn.ExecContext(ctx, what, strconv.Itoa(number))
		return what, err
	}
	if strings.Contains(what, "%d") {
		what = fmt.Sprintf(what, number)
	}
	_, err = conn.ExecContext(ctx, what)
	return what, err
}

// copyIn copies rows as lib/pq does.
func copyIn(ctx context.Context, conn *sql.Conn, rows int) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	into, err := tx.PrepareContext(ctx, pq.CopyIn("log", "what"))
	if err != nil {
		return err
	}
	for i := range rows {
		if _, err := into.ExecContext(ctx, strconv.Itoa(i)); err != nil {
			return err
		}
	}
	if _, err := into.ExecContext(ctx); err != nil {
		return err
	}
	return errors.Join(into.Close(), tx.Commit())
}
