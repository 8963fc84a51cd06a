package external_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/external"
	"github.com/pgcell/pgcell/tools/internal/keeper"
	"github.com/pgcell/pgcell/tools/internal/postgres"
)

// victimEnv makes a process of the test binary that is to be killed: it holds how it is to behave and a URL.
const victimEnv = "EXTERNAL_TEST_VICTIM"

func TestMain(m *testing.M) {
	keeper.Become(nil)
	if job := os.Getenv(victimEnv); job != "" {
		os.Exit(victim(strings.SplitN(job, " ", 2)))
	}
	os.Exit(m.Run())
}

// victim takes two cells, or begins a template, says so, and waits to be killed.
func victim(job []string) int {
	ctx := context.Background()
	c := config(job[1])
	if job[0] == "build" {
		c.Build = func(context.Context, *pgx.ConnConfig) error {
			fmt.Println("ready")
			select {}
		}
	}
	s, err := external.Open(ctx, c)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for range 2 {
		if _, err := s.Take(ctx, external.Request{Worker: "victim"}); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	fmt.Println("ready")
	select {}
}

// config has a template with a table, a parameter and a right of its own.
func config(url string) external.Config {
	return external.Config{URL: url, Template: "items", Build: func(ctx context.Context, c *pgx.ConnConfig) error {
		conn, err := pgx.ConnectConfig(ctx, c)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, `CREATE TABLE items (id int PRIMARY KEY); INSERT INTO items VALUES (1);
CREATE SCHEMA "Other, One";
DO $$ BEGIN
	EXECUTE format('ALTER DATABASE %I SET search_path TO public, "Other, One"', current_database());
	EXECUTE format('ALTER DATABASE %I SET DateStyle TO ''German, DMY''', current_database());
	EXECUTE format('GRANT CREATE ON DATABASE %I TO reader', current_database());
	EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END $$`, pgx.QueryExecModeSimpleProtocol)
		return err
	}}
}

// team is a server of others.
type team struct {
	server *postgres.Server
	url    string // as a role with CREATEDB and nothing else
}

// mustTeam starts a server and makes roles.
func mustTeam(t *testing.T, settings map[string]string) *team {
	t.Helper()
	install, err := binaries.Find(t.Context(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	s, err := postgres.Start(t.Context(), postgres.Config{Install: install, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	team := &team{server: s, url: s.URL("app", "postgres")}
	team.exec(t, "CREATE ROLE app LOGIN CREATEDB")
	team.exec(t, "CREATE ROLE another LOGIN CREATEDB")
	team.exec(t, "CREATE ROLE weak LOGIN")
	team.exec(t, "CREATE ROLE reader")
	return team
}

func (team *team) exec(t *testing.T, sql string) {
	t.Helper()
	mustExec(t, team.server.URL("postgres", "postgres"), sql)
}

func mustExec(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// mustGet gives the one value of a query in a database.
func mustGet(t *testing.T, c *pgx.ConnConfig, sql string) (value string) {
	t.Helper()
	conn, err := pgx.ConnectConfig(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// databases lists what is on the server beside its own, the templates as "template".
func (team *team) databases(t *testing.T) (names []string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), team.server.URL("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	rows, err := conn.Query(t.Context(), "SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1') ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	names, err = pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		if strings.HasPrefix(name, "pgcell_template_") {
			names[i] = "template"
		}
	}
	return names
}

func (team *team) ensureDatabases(t *testing.T, want ...string) {
	t.Helper()
	if got := team.databases(t); !slices.Equal(got, want) {
		t.Errorf("databases are %q, want %q", got, want)
	}
}

func mustOpen(t *testing.T, c external.Config) *external.Server {
	t.Helper()
	s, err := external.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

func mustTake(t *testing.T, s *external.Server) string {
	t.Helper()
	name, err := s.Take(t.Context(), external.Request{Worker: "w0"})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTake(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	s := mustOpen(t, config(team.url))
	one, two := mustTake(t, s), mustTake(t, s)
	if !strings.HasPrefix(one, "test_db_w0_") || one == two {
		t.Errorf("cells are %q and %q, want two names test_db_w0_<id>", one, two)
	}
	mustGet(t, s.ConnConfig(one), "INSERT INTO items VALUES (2) RETURNING id::text")
	for sql, want := range map[string]string{
		"SELECT count(*)::text FROM items": "1",
		"SHOW search_path":                 `public, "Other, One"`,
		"SHOW datestyle":                   "German, DMY",
		"SELECT has_database_privilege('reader', current_database(), 'CREATE')::text || has_database_privilege('reader', current_database(), 'TEMPORARY')": "truefalse",
		"SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = current_database()":                                                         "app",
		"SHOW statement_timeout": "0",
	} {
		if got := mustGet(t, s.ConnConfig(two), sql); got != want {
			t.Errorf("%s = %q in a clone, want %q", sql, got, want)
		}
	}
	if err := s.Drop(t.Context(), one); err != nil {
		t.Error(err)
	}
	team.ensureDatabases(t, "template", two)
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	team.ensureDatabases(t, "template")
}

// TestTemplateIsBuiltOnce has many begin at once, some with the locks of another database.
func TestTemplateIsBuiltOnce(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	mustExec(t, team.url, "CREATE DATABASE elsewhere")
	var built atomic.Int32
	var group sync.WaitGroup
	for i := range 6 {
		c := config(team.url)
		if i%2 == 1 {
			c.URL = team.server.URL("app", "elsewhere")
		}
		build := c.Build
		c.Build = func(ctx context.Context, conn *pgx.ConnConfig) error {
			built.Add(1)
			time.Sleep(100 * time.Millisecond) // so that the others come while it builds
			return build(ctx, conn)
		}
		group.Go(func() {
			s, err := external.Open(t.Context(), c)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close(context.Background())
			name, err := s.Take(t.Context(), external.Request{Worker: "w0"})
			if err != nil {
				t.Error(err)
				return
			}
			if got := mustGet(t, s.ConnConfig(name), "SELECT count(*)::text FROM items"); got != "1" {
				t.Errorf("a clone has %s rows, want 1", got)
			}
		})
	}
	group.Wait()
	if n := built.Load(); n != 1 {
		t.Errorf("the template was built %d times, want once", n)
	}
	team.ensureDatabases(t, "elsewhere", "template")
}

func TestFailedBuild(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	c := config(team.url)
	broken := errors.New("a migration is broken")
	c.Build = func(context.Context, *pgx.ConnConfig) error { return broken }
	if _, err := external.Open(t.Context(), c); !errors.Is(err, broken) {
		t.Errorf("Open = %v, want %v", err, broken)
	}
	team.ensureDatabases(t)
}

// mustVictim starts a process and kills it when it has what it waits for.
func mustVictim(t *testing.T, how, url string) (kill func()) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), victimEnv+"="+how+" "+url)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() { cmd.Process.Kill(); cmd.Wait() })
	t.Cleanup(kill)
	text := make([]byte, 1000)
	if n, _ := out.Read(text); string(text[:n]) != "ready\n" {
		t.Fatalf("a process said %q, want that it is ready", text[:n])
	}
	return kill
}

// TestSweep has a process killed, beside one that lives, a role that has its own, and databases with names like cells.
func TestSweep(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	alive := mustOpen(t, config(team.url))
	mine := mustTake(t, alive)
	kill := mustVictim(t, "take", team.url)
	killOther := mustVictim(t, "take", team.server.URL("another", "postgres"))
	mustExec(t, team.url, "CREATE DATABASE test_db_w0_0123456789ab")
	if n := len(team.databases(t)); n != 8 {
		t.Fatalf("%d databases, want 2 templates, 5 cells and 1 of the user's", n)
	}
	for _, victim := range []func(){func() {}, killOther} { // nothing yet that role app may drop
		victim()
		if found, err := external.Abandoned(t.Context(), team.url, 0); len(found) > 0 || err != nil {
			t.Errorf("Abandoned = %q, %v; want none", found, err)
		}
	}
	kill()
	var dropped []string
	for deadline := time.Now().Add(2 * time.Minute); len(dropped) < 2 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		now, err := external.Sweep(t.Context(), team.url, 0) // once the server knows that the process is gone
		if err != nil {
			t.Fatal(err)
		}
		dropped = append(dropped, now...)
	}
	if len(dropped) != 2 || !strings.HasPrefix(dropped[0], "test_db_victim_") || !strings.HasPrefix(dropped[1], "test_db_victim_") {
		t.Errorf("dropped %q, want the two cells of the process that was killed", dropped)
	}
	if all := team.databases(t); !slices.Contains(all, mine) || !slices.Contains(all, "test_db_w0_0123456789ab") || len(all) != 6 {
		t.Errorf("databases are %q, want those of the living, of the other role, and the user's", all)
	}
}

// TestOpenSweeps has the next process drop what a killed one has left, and say so.
func TestOpenSweeps(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	mustVictim(t, "take", team.url)()
	c := config(team.url)
	var notes []string
	c.Note = func(text string) { notes = append(notes, text) }
	for deadline := time.Now().Add(2 * time.Minute); len(notes) < 2 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		mustOpen(t, c).Close(t.Context())
	}
	if all := strings.Join(notes, "\n"); len(notes) != 2 || !strings.Contains(all, "dropped test_db_victim_") {
		t.Errorf("notes are %q, want that two databases were dropped", all)
	}
	team.ensureDatabases(t, "template")
}

// TestKilledBuilder has a process killed while it builds: the next builds anew.
func TestKilledBuilder(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	kill := mustVictim(t, "build", team.url)
	team.ensureDatabases(t, "template")
	waiting, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := external.Open(waiting, config(team.url)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("beside a builder, Open = %v; want that it waits", err)
	}
	kill()
	s := mustOpen(t, config(team.url))
	if got := mustGet(t, s.ConnConfig(mustTake(t, s)), "SELECT count(*)::text FROM items"); got != "1" {
		t.Errorf("a clone has %s rows, want 1", got)
	}
}

// TestPrune has a template that nobody has used for long, and one that is old and in use.
func TestPrune(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	used, old := config(team.url), config(team.url)
	old.Template = "old"
	s := mustOpen(t, used)
	mustOpen(t, old).Close(t.Context())
	team.ensureDatabases(t, "template", "template")
	for keepFor, want := range map[time.Duration]int{0: 0, time.Nanosecond: 1} {
		time.Sleep(time.Millisecond)
		if found, err := external.Abandoned(t.Context(), team.url, keepFor); len(found) != want || err != nil {
			t.Errorf("abandoned after %v: %q, %v; want %d", keepFor, found, err, want)
		}
	}
	if _, err := external.Sweep(t.Context(), team.url, time.Nanosecond); err != nil {
		t.Error(err)
	}
	team.ensureDatabases(t, "template")
	mustTake(t, s)
}

// TestDropBesideOthers has somebody in the database whom the role may not end, as autovacuum's workers are.
func TestDropBesideOthers(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	s := mustOpen(t, config(team.url))
	name := mustTake(t, s)
	conn, err := pgx.Connect(t.Context(), team.server.URL("postgres", name))
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(300*time.Millisecond, func() { conn.Close(context.Background()) })
	if err := s.Drop(t.Context(), name); err != nil {
		t.Error(err)
	}
	team.ensureDatabases(t, "template")
}

// TestLockSessionEnds has the session ended by which a process owns its databases: it takes the lock anew.
func TestLockSessionEnds(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	s := mustOpen(t, config(team.url))
	mustTake(t, s)
	team.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
	second := mustTake(t, s)
	if found, err := external.Abandoned(t.Context(), team.url, 0); len(found) > 0 || err != nil {
		t.Errorf("Abandoned = %q, %v; want none, since the process lives", found, err)
	}
	if !slices.Contains(team.databases(t), second) {
		t.Errorf("databases are %q, want %s too", team.databases(t), second)
	}
}

func TestUnfit(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	var unfit *external.UnfitError
	_, err := external.Open(t.Context(), config(team.server.URL("weak", "postgres")))
	if want := `role "weak" may not create databases; run ALTER ROLE "weak" CREATEDB`; !errors.As(err, &unfit) || !strings.Contains(err.Error(), want) {
		t.Errorf("Open = %v, want %q", err, want)
	}
	team.exec(t, "ALTER ROLE weak PASSWORD 'secret-word'")
	_, err = external.Open(t.Context(), config("postgres://weak:secret-word@127.0.0.1:1/x?connect_timeout=5"))
	if err == nil || strings.Contains(err.Error(), "secret-word") || !strings.Contains(err.Error(), "use server postgres://weak@127.0.0.1:1/x") {
		t.Errorf("Open = %v, want the server's address without the password", err)
	}
}
