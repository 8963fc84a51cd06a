package pgcell_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/postgres"
)

// team is a server that others manage.
type team struct {
	server *postgres.Server
	url    string // of a role with a password and CREATEDB
}

func mustTeam(t *testing.T, settings map[string]string) *team {
	t.Helper()
	install, err := binaries.Find(t.Context(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	server, err := postgres.Start(t.Context(), postgres.Config{Install: install, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	team := &team{server, strings.Replace(server.URL("app", "postgres"), "app@", "app:secret-word@", 1)}
	team.exec(t, "CREATE ROLE app LOGIN CREATEDB PASSWORD 'secret-word'")
	return team
}

func (team *team) exec(t *testing.T, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), team.server.URL("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// databases lists what is on the server besides what each server has.
func (team *team) databases(t *testing.T) (names []string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), team.server.URL("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), "SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1') ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	if names, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		t.Fatal(err)
	}
	return names
}

// ensureClean asserts that there are templates and nothing else.
func (team *team) ensureClean(t *testing.T) {
	t.Helper()
	all := team.databases(t)
	if cells := slices.DeleteFunc(all, func(name string) bool { return strings.HasPrefix(name, "pgcell_template_") }); len(cells) > 0 {
		t.Errorf("the server has %q, want templates alone", cells)
	}
}

// existingChild is a command that does a job at a server.
func existingChild(job, url string, environ ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestExistingChild$", "-test.parallel=50", "-test.v")
	cmd.Env = append(os.Environ(), existingEnv+"="+job, "PGCELL_SERVER="+url, "PGCELL_TEMPLATE=", "PGCELL_LOG=1", "PGCELL_EXISTING_SERVER=1",
		"TEST_TOTAL_SHARDS=", "TEST_UNDECLARED_OUTPUTS_DIR=")
	cmd.Env = append(cmd.Env, environ...)
	return cmd
}

func TestExisting(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, map[string]string{"max_connections": "30"})
	for _, job := range []string{"tx", "new", "open", "parallel", "many"} {
		out, err := existingChild(job, team.url).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestExistingChild") {
			t.Errorf("%s: %v\n%s", job, err, out)
		}
		if strings.Contains(string(out), "secret-word") {
			t.Errorf("%s shows the password:\n%s", job, out)
		}
		if job == "tx" { // the cell that its tests share goes when the next process starts
			if n := len(team.databases(t)); n != 2 {
				t.Errorf("%q after tests with Tx, want a template and a cell", team.databases(t))
			}
			continue
		}
		team.ensureClean(t)
	}
}

// TestExistingErrors has a server, a role, or a test that cannot be served.
func TestExistingErrors(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	team.exec(t, "CREATE ROLE weak LOGIN PASSWORD 'secret-word'")
	team.exec(t, `DO $$ BEGIN
	EXECUTE format('COPY (VALUES (''local all postgres trust''), (''local all all scram-sha-256'')) TO %L', current_setting('hba_file'));
	PERFORM pg_reload_conf();
END $$`)
	ensureSoon(t, "the server wants passwords", func() bool {
		conn, err := pgx.Connect(t.Context(), team.server.URL("app", "postgres"))
		if err == nil {
			conn.Close(t.Context())
		}
		return err != nil
	})
	for name, test := range map[string]struct {
		job, url string
		environ  []string
		want     string
	}{
		"private":   {job: "private", want: "pgcell.New: the field Config.Private needs a private server, but PGCELL_SERVER names one that others manage; for a server"},
		"roles":     {job: "roles", want: "Config.Roles needs a private server, but PGCELL_SERVER names one that others manage; create the roles on the server"},
		"settings":  {job: "settings", want: "Config.Settings needs a private server, but PGCELL_SERVER names one that others manage; configure the server"},
		"locale":    {job: "locale", want: "databases have the locale of the server's template1"},
		"superuser": {job: "superuser", want: "pgcell.Tx: the field Config.Superuser needs a private server"},
		"server":    {job: "server", want: "pgcell.Server: it starts a server for this test, but PGCELL_SERVER says that tests use one that others manage"},
		"verify":    {job: "new", environ: []string{"PGCELL_RECYCLE=verify"}, want: "PGCELL_RECYCLE is verify, but no cell is used again"},
		"template":  {job: "plain", environ: []string{"PGCELL_TEMPLATE=x"}, want: "give the migrations in code, as Config.Migrations, with //go:embed"},
		"undeclared": {
			job: "new", environ: []string{"TEST_SRCDIR=/x", "TEST_TARGET=//shop:shop_test", "PGCELL_EXISTING_SERVER="},
			want: "Bazel would cache the result of //shop:shop_test, since it does not know the server; declare the test with pg_go_test(existing_server = True)",
		},
		"no server": {job: "new", environ: []string{"PGCELL_SERVER=", "TEST_TARGET=//shop:shop_test"}, want: "PGCELL_SERVER is not set, but //shop:shop_test has existing_server = True"},
		"password":  {job: "new", url: strings.Replace(team.url, "secret-word", "secret-words", 1), want: `password authentication failed for user "app"`},
		"createdb":  {job: "new", url: strings.Replace(team.url, "app", "weak", 1), want: `role "weak" may not create databases; run ALTER ROLE "weak" CREATEDB as a superuser`},
		"away":      {job: "new", url: "postgres://app:secret-word@127.0.0.1:1/postgres", want: "pgcell.New: use server postgres://app@127.0.0.1:1/postgres: "},
		"url":       {job: "new", url: "postgres://app:secret-word@host:port/x", want: "pgcell.New: read the server's URL: "},
		"rights":    {job: "migrate", want: `1_role.sql`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.url == "" {
				test.url = team.url
			}
			out, err := existingChild(test.job, test.url, test.environ...).CombinedOutput()
			if err == nil || !strings.Contains(string(out), test.want) || strings.Contains(string(out), "secret-word") {
				t.Errorf("%v\n%s\nwant a failure with %q, and no password", err, out, test.want)
			}
		})
	}
}

// mustHave starts a child and waits until it has a cell.
func mustHave(t *testing.T, cmd *exec.Cmd) (rest *bufio.Reader) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	rest = bufio.NewReader(out)
	for said := ""; ; {
		line, err := rest.ReadString('\n')
		if said += line; strings.HasPrefix(line, "has ") {
			return rest
		}
		if err != nil {
			t.Fatalf("it has ended: %s", said)
		}
	}
}

// TestExistingServerGoes stops the server while a test has a cell.
func TestExistingServerGoes(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	cmd := existingChild("lose", team.url)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	rest := mustHave(t, cmd)
	team.server.Close()
	fmt.Fprintln(in)
	out, err := io.ReadAll(rest)
	if err != nil {
		t.Fatal(err)
	}
	const want = "pgcell.New: take a cell on server "
	if err := cmd.Wait(); err == nil || !strings.Contains(string(out), want) || !strings.Contains(string(out), "connect again: ") {
		t.Errorf("%v\n%s\nwant a failure with %q", err, out, want)
	}
}

// TestExistingKilled kills a process: the next one that starts drops what it has left.
func TestExistingKilled(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	cmd := existingChild("wait", team.url)
	mustHave(t, cmd)
	if n := len(team.databases(t)); n != 3 {
		t.Errorf("the server has %q, want a template and 2 cells", team.databases(t))
	}
	cmd.Process.Kill()
	cmd.Wait()
	for deadline := time.Now().Add(time.Minute); len(team.databases(t)) > 1 && time.Now().Before(deadline); { // once the server knows
		if out, err := existingChild("open", team.url).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	team.ensureClean(t)
}

// TestExistingTwoProcesses has two share connections that one alone could use up.
func TestExistingTwoProcesses(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, map[string]string{"max_connections": "30"})
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			if out, err := existingChild("parallel", team.url).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	group.Wait()
	team.ensureClean(t)
}

// TestExistingKeep looks at what is left of a failed test.
func TestExistingKeep(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	outputs := t.TempDir()
	out, err := existingChild("fail", team.url, "TEST_UNDECLARED_OUTPUTS_DIR="+outputs).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "is dropped; set PGCELL_KEEP=1 to keep it for a day") {
		t.Errorf("%v\n%s\nwant that the cell is dropped", err, out)
	}
	team.ensureClean(t)
	dumps, _ := filepath.Glob(filepath.Join(outputs, "pgcell", "*.sql"))
	if _, err := exec.LookPath("pg_dump"); err == nil && (len(dumps) != 1 || !strings.Contains(mustRead(t, dumps[0]), "Grace")) {
		t.Errorf("dumps are %q, want one with the test's row\n%s", dumps, out)
	}
	out, err = existingChild("fail", team.url, "PGCELL_KEEP=1").CombinedOutput()
	kept := psqlLine.FindStringSubmatch(strings.ReplaceAll(string(out), " for a day", ""))
	if err == nil || kept == nil || strings.Contains(string(out), "secret-word") {
		t.Fatalf("%v\n%s\nwant how to connect, without a password", err, out)
	}
	if out, err := existingChild("open", team.url).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	conn, err := pgx.Connect(t.Context(), kept[2])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var n int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM users").Scan(&n); err != nil || n != 2 {
		t.Errorf("%d users in the kept cell, %v; want 2", n, err)
	}
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
