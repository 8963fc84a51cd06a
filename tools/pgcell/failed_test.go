package pgcell_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/held"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// psqlLine is what a log has of a cell whose server outlasts the tests.
var psqlLine = regexp.MustCompile(`pgcell: kept cell (\S+): psql '([^']+)'`)

// mustFail runs a test that inserts a row, has a statement refused, and fails; it gives the cell's name and URL.
func mustFail(t *testing.T, config pgcell.Config, name string) (cell, url string, f *fakeTB) {
	t.Helper()
	f = &fakeTB{name: name}
	f.run(func() {
		c := pgcell.New(f, config)
		cell, url = c.Name(), c.URL()
		for _, sql := range []string{"INSERT INTO users VALUES (7, 'Ada')", "CREATE TABLE more AS SELECT 42 AS answer"} {
			if _, err := c.Pool().Exec(t.Context(), sql); err != nil {
				t.Error(err)
			}
		}
		if _, err := c.Pool().Exec(t.Context(), "SELECT * FROM missing_table"); err == nil {
			t.Error("no error for a table that is missing")
		}
		f.Fatalf("red on purpose")
	})
	logs := strings.Join(f.logs, "\n")
	if psqlLine.MatchString(logs) {
		t.Errorf("there is a line to connect to a server that goes with the process: %q", f.logs)
	}
	if want := "cell " + cell + " goes with its server; set PGCELL_KEEP=1"; !strings.Contains(logs, want) {
		t.Errorf("logs %q lack %q", f.logs, want)
	}
	return cell, url, f
}

// TestEmptyCellIsTold has the log of a failed test say that its database had no schema, and why. It sets the environment,
// so it is not parallel.
func TestEmptyCellIsTold(t *testing.T) {
	const empty = "pgcell: the database was empty when the test began"
	schema := mustGolden(t, mustInstall(t), golden.Options{})
	data, err := os.ReadFile(schema)
	if err != nil {
		t.Fatal(err)
	}
	byDefault := filepath.Join(t.TempDir(), "tools", "rules", "empty.pgcell") // as pg_go_test names it
	if err := os.MkdirAll(filepath.Dir(byDefault), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(byDefault, data, 0o666); err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"1.sql": &fstest.MapFile{Data: []byte("CREATE TABLE users ()")}}
	for name, c := range map[string]struct {
		rule   string
		config pgcell.Config
		want   string
	}{
		"no template":            {"", pgcell.Config{}, empty + ", since Config has neither Migrations nor Migrate"},
		"the rule's is not used": {schema, pgcell.Config{Superuser: true}, empty + ", since Config has neither Migrations nor Migrate"},
		"a rule without one":     {byDefault, pgcell.Config{}, empty + ", since its pg_go_test has no template"},
		"the rule's":             {schema, pgcell.Config{}, ""},
		"migrations":             {"", pgcell.Config{Migrations: files}, ""},
		"asked for":              {"", pgcell.Config{Empty: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PGCELL_TEMPLATE", c.rule)
			f := &fakeTB{name: t.Name()}
			f.run(func() {
				pgcell.New(f, c.config)
				f.Fatalf("red on purpose")
			})
			logs := strings.Join(f.logs, "\n")
			if told := strings.Contains(logs, empty); told != (c.want != "") || !strings.Contains(logs, c.want) {
				t.Errorf("logs %q, want %q", f.logs, c.want)
			}
		})
	}
}

// TestFailedCellIsKept looks at what is left of failed tests. Not parallel: it sets the directory of outputs for the
// whole process.
func TestFailedCellIsKept(t *testing.T) {
	out := t.TempDir()
	t.Setenv("TEST_UNDECLARED_OUTPUTS_DIR", out)
	config := pgcell.Config{Migrations: fstest.MapFS{"1.sql": &fstest.MapFile{Data: []byte("CREATE TABLE users (id int, name text)")}}}
	var urls []string
	for i := range 5 {
		name := fmt.Sprintf("TestRed/sub case %d", i)
		cell, url, f := mustFail(t, config, name)
		urls = append(urls, url)
		dump := filepath.Join("pgcell", fmt.Sprintf("TestRed_sub_case_%d_%s", i, cell))
		base := filepath.Join(out, dump)
		ensureContains(t, base+".sql", "Ada", "answer")
		ensureContains(t, base+".log", `relation "missing_table" does not exist`)
		if logs := strings.Join(f.logs, "\n"); !strings.Contains(logs, "pgcell: dumped cell "+cell+": "+dump+".sql (") {
			t.Errorf("logs %q do not tell of the dump", logs)
		}
	}
	for i, url := range urls {
		ok := eventually(func() bool { return reachable(t, url) == (i >= 2) })
		if !ok {
			t.Errorf("cell %d of 5 reachable = %v, want the last 3 kept", i, reachable(t, url))
		}
	}
	ensureRecorded(t, filepath.Join(out, "pgcell", "cells.jsonl"))
}

func ensureContains(t *testing.T, path string, want ...string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return
	}
	for _, w := range want {
		if !strings.Contains(string(text), w) {
			t.Errorf("%s does not contain %q:\n%s", path, w, text)
		}
	}
}

// ensureRecorded reads the records of five failed tests.
func ensureRecorded(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 5 {
		t.Fatalf("%d records, want 5:\n%s", len(lines), text)
	}
	var r struct {
		Test, Worker, Cell, Made, Kept, Dump string
		Start, End                           time.Time
		CellSeconds                          float64 `json:"cell_seconds"`
		ServerSeconds                        float64 `json:"server_seconds"`
		Failed                               bool
	}
	if err := json.Unmarshal([]byte(lines[4]), &r); err != nil {
		t.Fatal(err)
	}
	if r.Test != "TestRed/sub case 4" || r.Worker != pgcell.Worker() || !r.Failed || r.Kept != "" || r.CellSeconds <= 0 || r.ServerSeconds < 0 ||
		r.ServerSeconds > r.CellSeconds ||
		!strings.HasPrefix(r.Dump, "pgcell/TestRed_sub_case_4_") || !r.End.After(r.Start) || !slices.Contains([]string{"cloned", "recycled"}, r.Made) {
		t.Errorf("record %s", lines[4])
	}
}

func reachable(t *testing.T, url string) bool {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return false
	}
	conn.Close(t.Context())
	return true
}

// eventually polls for a minute.
func eventually(so func() bool) bool {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if so() {
			return true
		}
	}
	return so()
}

// TestKeepOutlastsTheProcess has a test process fail with PGCELL_KEEP=1, and finds its database after that has ended,
// until the server is told to end.
func TestKeepOutlastsTheProcess(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$", "-test.count=1", "-test.v")
	cmd.Env = append(os.Environ(), victimEnv+"=fail", "PGCELL_KEEP=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(in)
	var said []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said = append(said, lines.Text())
	}
	if err := cmd.Wait(); err == nil {
		t.Fatalf("the test passed: %q", said)
	}
	log := strings.Join(said, "\n")
	url := psqlLine.FindStringSubmatch(log)
	dir := regexp.MustCompile(`until you press Ctrl-C or type: rm -r (\S+)\)`).FindStringSubmatch(log)
	if url == nil || dir == nil {
		t.Fatalf("no psql line and rm command in:\n%s", log)
	}
	defer os.RemoveAll(dir[1])
	if !regexp.MustCompile(`, cloned by (WAL_LOG|FILE_COPY) from template_\w+, PostgreSQL [\d.]+, `).MatchString(log) {
		t.Errorf("-v does not say how the cell was made:\n%s", log)
	}
	if !reachable(t, url[2]) {
		t.Errorf("%s cannot be reached after the test process has ended", url[2])
	}
	config, err := pgx.ParseConfig(url[2])
	if err != nil {
		t.Fatal(err)
	}
	if config.Host != dir[1] {
		t.Errorf("the directory to remove is %s, want the socket's, %s", dir[1], config.Host)
	}
	// A connection that stands does not need the directory: it tells of the server's own end.
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if parent := filepath.Dir(dir[1]); !eventually(func() bool { return slices.Contains(held.Kept(parent), dir[1]) }) {
		t.Errorf("%q are the kept servers in %s, want %s among them", held.Kept(parent), parent, dir[1])
	}
	if err := held.EndKept(dir[1]); err != nil { // removes the directory
		t.Error(err)
	}
	if !eventually(func() bool { return conn.Ping(t.Context()) != nil }) {
		t.Error("the server still answers after its directory has been removed")
	}
	if _, err := os.Stat(dir[1]); !os.IsNotExist(err) {
		t.Errorf("socket directory %s is left", dir[1])
	}
}

// TestPanicChild is the process of TestPanickedCellIsKept.
func TestPanicChild(t *testing.T) {
	if os.Getenv("PGCELL_TEST_PANIC_CHILD") == "" {
		t.Skip("runs as a child of TestPanickedCellIsKept alone")
	}
	cell := pgcell.New(t, shop)
	if _, err := cell.Pool().Exec(t.Context(), "INSERT INTO users (name) VALUES ('Grace')"); err != nil {
		t.Fatal(err)
	}
	panic("on purpose")
}

func TestPanickedCellIsKept(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestPanicChild$")
	cmd.Env = append(os.Environ(), "PGCELL_TEST_PANIC_CHILD=1", "PGCELL_TEMPLATE=", "TEST_UNDECLARED_OUTPUTS_DIR="+out)
	said, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(said), "pgcell: dumped cell test_db_") || !strings.Contains(string(said), "panic: on purpose") {
		t.Errorf("%v\n%s\nwant a panic, and a dump", err, said)
	}
	dumps, _ := filepath.Glob(filepath.Join(out, "pgcell", "TestPanicChild_*.sql"))
	if len(dumps) != 1 {
		t.Fatalf("dumps %q, want one", dumps)
	}
	ensureContains(t, dumps[0], "Grace")
}

// TestFullMemoryIsTold has the server's log say what it says when memory is full. Not parallel, since it sets a
// variable.
func TestFullMemoryIsTold(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("data lies in memory on Linux alone")
	}
	t.Setenv("PGCELL_STORAGE", "memory")
	config := pgcell.Config{Migrations: fstest.MapFS{"1.sql": {Data: []byte("CREATE TABLE of_test_full_memory ()")}}}
	for name, exec := range map[string]func(*fakeTB, string) error{
		"New": func(f *fakeTB, sql string) error {
			_, err := pgcell.New(f, config).Pool().Exec(t.Context(), sql)
			return err
		},
		"Tx": func(f *fakeTB, sql string) error { _, err := pgcell.Tx(f, config).Exec(t.Context(), sql); return err },
		"Server": func(f *fakeTB, sql string) error {
			_, err := pgcell.Server(f).Pool().Exec(t.Context(), sql)
			return err
		},
	} {
		for _, message := range []string{"division by zero", "could not extend file: No space left on device"} {
			f := &fakeTB{name: "TestFills"}
			f.run(func() {
				f.Fatalf("%v", exec(f, "DO $$ BEGIN RAISE EXCEPTION '"+message+"'; END $$"))
			})
			logs, want := strings.Join(f.logs, "\n"), strings.Contains(message, "No space")
			if got := strings.Contains(logs, "was full while the test ran: set PGCELL_STORAGE=disk"); got != want {
				t.Errorf("%s, %q: the test is told that memory was full: %v, want %v\n%s", name, f.fatal, got, want, logs)
			}
		}
	}
}
