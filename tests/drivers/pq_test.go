package drivers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/lib/pq"

	"github.com/pgcell/pgcell/tools/pgcell"
)

// The templates and statements of TestRandom in tools/internal/cells.
const testdata = "../../tools/internal/cells/testdata"

// workload is a template, and what tests do with it.
type workload struct {
	name     string
	files    []string // of the template
	settings map[string]string
	table    string // that COPY writes to
	columns  []string
}

var workloads = []workload{
	{name: "rails", files: []string{"rails/template.sql"}, table: "schema_migrations", columns: []string{"version"}},
	{name: "tenants", files: []string{"tenants/template.sql"}, table: "audit", columns: []string{"what"}},
	{
		name:     "everything",
		files:    []string{"shop.sql", "code.sql", "everything/template.sql"},
		settings: map[string]string{"max_prepared_transactions": "5"},
		table:    "odd", columns: []string{"n"},
	},
}

// TestPQ makes up tests for three templates, whose statements go through lib/pq, on connections by URL, and through
// database/sql with pgx. Each cell that is recycled is compared with a new clone, and what a session of each kind shows
// with what it shows in the first cell.
//
// PGCELL_TEST_RUNS is how many tests there are of each template; PGCELL_TEST_SEED repeats them.
func TestPQ(t *testing.T) {
	runs, seed := 60, rand.Uint64()
	if n, err := strconv.Atoi(os.Getenv("PGCELL_TEST_RUNS")); err == nil {
		runs = n
	}
	if n, err := strconv.ParseUint(os.Getenv("PGCELL_TEST_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("PGCELL_TEST_SEED=%d PGCELL_TEST_RUNS=%d", seed, runs)
	for _, w := range workloads {
		t.Run(w.name, func(t *testing.T) {
			r := open(t, w)
			for i := range runs {
				if !t.Run(fmt.Sprint(i), func(t *testing.T) { r.test(t, rand.New(rand.NewPCG(seed, uint64(i)))) }) {
					t.FailNow()
				}
			}
		})
	}
}

// run is one template's part of TestPQ.
type run struct {
	workload
	statements, drastic []string
	state               string // a query of what a session holds
	config              pgcell.Config
	first               []string // what it shows in the first cell
}

func open(t *testing.T, w workload) *run {
	t.Helper()
	r := &run{workload: w, state: mustRead(t, "state.sql")}
	r.statements, r.drastic = lines(mustRead(t, w.name, "statements.sql")), lines(mustRead(t, w.name, "drastic.sql"))
	migrations := fstest.MapFS{}
	for i, file := range r.files {
		migrations[fmt.Sprintf("%d.sql", i)] = &fstest.MapFile{Data: []byte(mustRead(t, file))}
	}
	r.config = pgcell.Config{Migrations: migrations, Settings: map[string]string{"lock_timeout": "5ms", "deadlock_timeout": "2ms"}}
	for k, v := range r.settings {
		r.config.Settings[k] = v
	}
	return r
}

func mustRead(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{testdata}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// lines gives the statements of a file, one a line, in which \n stands for the end of a line.
func lines(text string) (all []string) {
	for line := range strings.Lines(text) {
		all = append(all, strings.ReplaceAll(strings.TrimSuffix(line, "\n"), `\n`, "\n"))
	}
	return all
}

func (r *run) test(t *testing.T, random *rand.Rand) {
	cell := pgcell.New(t, r.config)
	db, err := sql.Open("postgres", cell.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	r.look(t, db, cell.DB())
	for range 1 + random.IntN(3) {
		from := db
		if random.IntN(3) == 0 {
			from = cell.DB()
		}
		conn, err := from.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range random.IntN(6) {
			t.Log(r.act(t.Context(), conn, random))
		}
		if random.IntN(20) > 0 {
			conn.Close()
		}
	}
}

// look compares what sessions hold with what those of the first cell held.
func (r *run) look(t *testing.T, all ...*sql.DB) {
	t.Helper()
	var shown []string
	for _, db := range all {
		var state string
		if err := db.QueryRow(r.state).Scan(&state); err != nil {
			t.Fatal(err)
		}
		shown = append(shown, state)
	}
	if r.first == nil {
		r.first = shown
	}
	for i, state := range shown {
		if state != r.first[i] {
			t.Errorf("client %d (0 is lib/pq, 1 pgx) has a session with\n%s\nwant\n%s", i, state, r.first[i])
		}
	}
}

// act does one thing, and tells what; errors of statements are part of it.
func (r *run) act(ctx context.Context, conn *sql.Conn, random *rand.Rand) (what string, err error) {
	from := r.statements
	switch n := random.IntN(100); {
	case n < 4:
		return "COPY", r.copyIn(ctx, conn, 1+random.IntN(5))
	case n < 6:
		ctx, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
		defer cancel()
		_, err = conn.ExecContext(ctx, "SELECT pg_sleep(1)")
		return "cancelled", err
	case n < 16:
		from = []string{"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s", "ROLLBACK TO s"}
	case n < 18:
		from = r.drastic
	}
	what = fill(from[random.IntN(len(from))], random)
	var args []any
	if strings.Contains(what, "$1") { // lib/pq prepares the statement
		args = append(args, strconv.Itoa(1+random.IntN(5)))
	}
	_, err = conn.ExecContext(ctx, what, args...)
	return what, err
}

// fill replaces {n} by a number to 30, {t} by one to 5, {big} by one to 400, {word} by a word.
func fill(text string, random *rand.Rand) string {
	words := []string{"alpha", "beta", "news", "x", "it''s"}
	for _, one := range []struct {
		mark string
		give func() string
	}{
		{"{n}", func() string { return strconv.Itoa(1 + random.IntN(30)) }},
		{"{t}", func() string { return strconv.Itoa(1 + random.IntN(5)) }},
		{"{big}", func() string { return strconv.Itoa(1 + random.IntN(400)) }},
		{"{word}", func() string { return words[random.IntN(len(words))] }},
	} {
		for strings.Contains(text, one.mark) {
			text = strings.Replace(text, one.mark, one.give(), 1)
		}
	}
	return text
}

// copyIn copies rows as lib/pq does.
func (r *run) copyIn(ctx context.Context, conn *sql.Conn, rows int) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	into, err := tx.PrepareContext(ctx, pq.CopyIn(r.table, r.columns...))
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
