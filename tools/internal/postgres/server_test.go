package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/keeper"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/storage"
)

// initVariable has the keeper's process clear its environment or end before it becomes a keeper, or say what is no
// reply.
const initVariable = "PGCELL_TEST_INIT"

// initialise does in the keeper what the package initialisers of users' programs may do there.
func initialise() {
	if os.Getenv("PGCELL_KEEPER") == "" {
		return
	}
	fmt.Println("an initialiser prints", os.Args)
	fmt.Fprintln(os.Stderr, "an initialiser warns")
	io.ReadAll(os.Stdin)
	switch os.Getenv(initVariable) {
	case "clear":
		os.Clearenv()
	case "panic":
		panic("the port is in use")
	case "babble":
		fmt.Fprintln(os.NewFile(4, "replies"), "hello")
		select {}
	case "start":
		_, err := postgres.Start(context.Background(), postgres.Config{})
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var attempts int

// fillUp finds no room, at the first attempt, when the server is being started already.
func fillUp(ctx context.Context, _, dataDir string, enough func()) error {
	if attempts++; attempts > 1 {
		return errors.New("the filler was asked once more")
	}
	enough()
	for begun := false; !begun && ctx.Err() == nil; {
		time.Sleep(time.Millisecond)
		_, err := os.Stat(filepath.Join(dataDir, "postgresql.conf"))
		begun = err == nil
	}
	return &fs.PathError{Op: "write", Path: dataDir, Err: syscall.ENOSPC}
}

func TestMain(m *testing.M) {
	initialise()
	keeper.Become(map[string]keeper.Fill{
		"broken": func(context.Context, string, string, func()) error {
			return errors.New("the filler found something wrong")
		},
		"full": fillUp,
	})
	os.Exit(m.Run())
}

var bothWays = []keeper.Containment{keeper.Namespaces, keeper.Watchdog}

// mustInstall gives the machine's PostgreSQL.
func mustInstall(t *testing.T) binaries.Install {
	t.Helper()
	install, err := binaries.Find(t.Context(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	return install
}

// mustStart starts a server that ends with the test; it skips where the system has no namespaces.
func mustStart(t *testing.T, c postgres.Config) *postgres.Server {
	t.Helper()
	c.Install = mustInstall(t)
	s, err := postgres.Start(t.Context(), c)
	var refused *postgres.ContainmentError
	if errors.As(err, &refused) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// mustQuery gives the one text value of a query.
func mustQuery(t *testing.T, s *postgres.Server, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	var got string
	if err := conn.QueryRow(t.Context(), sql).Scan(&got); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}

func TestStartAnswers(t *testing.T) {
	for _, how := range bothWays {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			s := mustStart(t, postgres.Config{Containment: how, Settings: map[string]string{"work_mem": "5MB"}})
			for sql, want := range map[string]string{
				"show server_encoding":         "UTF8",
				"show lc_collate":              "C",
				"show timezone":                "UTC",
				"show fsync":                   "off",
				"show listen_addresses":        "",
				"show work_mem":                "5MB",
				"show unix_socket_directories": s.SocketDir(),
				"select current_user::text":    "postgres",
			} {
				if sql == "show lc_collate" && s.Install().Version.Major >= 16 {
					sql = "select datcollate::text from pg_database where datname = current_database()"
				}
				if got := mustQuery(t, s, sql); got != want {
					t.Errorf("%s = %q, want %q", sql, got, want)
				}
			}
			if got := s.Containment(); got != how {
				t.Errorf("Containment() = %q, want %q", got, how)
			}
		})
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	for _, how := range bothWays {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			s := mustStart(t, postgres.Config{Containment: how})
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			for _, dir := range []string{s.SocketDir(), s.DataDir()} {
				if _, err := os.Lstat(dir); !os.IsNotExist(err) {
					t.Errorf("after Close, Lstat(%q) = %v, want not exist", dir, err)
				}
			}
			if err := s.Err(); err == nil || !strings.HasSuffix(err.Error(), "was closed") {
				t.Errorf("after Close, Err() = %v, want that it was closed", err)
			}
		})
	}
}

// TestKilledKeeper has the kernel end a server, since nothing but directories is left of one in namespaces.
func TestKilledKeeper(t *testing.T) {
	t.Parallel()
	s := mustStart(t, postgres.Config{Containment: keeper.Namespaces})
	if err := postgres.KillKeeper(s); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.Free(t.Context())
	const want = "ended (signal: killed): something killed it, often the system where memory runs out; run fewer"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Free() = %v, want it to contain %q", err, want)
	}
}

// TestCloseIsQuick takes the best of three: each test process, and each test with a server of its own, pays for it.
func TestCloseIsQuick(t *testing.T) {
	for _, how := range bothWays {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			const limit = 700 * time.Millisecond
			best := time.Hour
			for try := 0; try < 3 && best > limit; try++ {
				s := mustStart(t, postgres.Config{Containment: how})
				start := time.Now()
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				best = min(best, time.Since(start))
			}
			if best > limit {
				t.Errorf("the quickest Close took %v, want less than %v", best, limit)
			}
		})
	}
}

func TestRestartKeepsData(t *testing.T) {
	for _, how := range bothWays {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			s := mustStart(t, postgres.Config{Containment: how})
			conn, err := pgx.Connect(t.Context(), s.URL("postgres", "postgres"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.WithoutCancel(t.Context()))
			if _, err := conn.Exec(t.Context(), "create table t as select 42::text as x; alter system set work_mem = '7MB'"); err == nil {
				t.Fatal("alter system ran in a transaction block, which it refuses")
			}
			for _, sql := range []string{"create table t as select 42::text as x", "alter system set work_mem = '7MB'"} {
				if _, err := conn.Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := mustQuery(t, s, "select x from t"); got != "42" {
				t.Errorf("after Restart, x = %q, want 42", got)
			}
			if got := mustQuery(t, s, "show work_mem"); got != "7MB" {
				t.Errorf("after Restart, work_mem = %q, want the 7MB of ALTER SYSTEM", got)
			}
			if err := s.Err(); err != nil {
				t.Errorf("after Restart, Err() = %v, want nil", err)
			}
		})
	}
}

// mustOpenDir makes a directory that the server can pass through, also where it runs as nobody for want of namespaces.
func mustOpenDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestDataDirStays(t *testing.T) {
	for _, how := range bothWays {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(mustOpenDir(t), "data")
			s := mustStart(t, postgres.Config{Containment: how, DataDir: dir})
			if err := s.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.Close()
			if _, err := os.Stat(filepath.Join(dir, "PG_VERSION")); err != nil {
				t.Fatal(err)
			}
			again := mustStart(t, postgres.Config{Containment: how, DataDir: dir, Source: keeper.Source{Kind: keeper.FromExisting}})
			if got := mustQuery(t, again, "select 'here'"); got != "here" {
				t.Errorf("got %q from the directory used again, want here", got)
			}
		})
	}
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 80))
	for _, c := range []struct {
		name   string
		config postgres.Config
		want   []string
	}{
		{"bad setting", postgres.Config{Settings: map[string]string{"work_mem": "plenty"}},
			[]string{"start server of PostgreSQL", "ended before it was ready", "end of the server's log:", `"work_mem": "plenty"`}},
		{"socket path too long", postgres.Config{SocketParent: long},
			[]string{"make socket directory for", long, "this system allows", "set PGCELL_SOCKET_DIR to a shorter directory"}},
		{"no socket directory", postgres.Config{SocketParent: "/dev/null"},
			[]string{"make directory for a server", "/dev/null", "set PGCELL_SOCKET_DIR to a directory that can be written to"}},
		{"filler", postgres.Config{Source: keeper.Source{Kind: "broken"}}, []string{"prepare server of", "the filler found something wrong"}},
		{"no filler", postgres.Config{Source: keeper.Source{Kind: "absent"}}, []string{`no filler for source "absent"`}},
	} {
		for _, how := range bothWays {
			t.Run(c.name+"/"+string(how), func(t *testing.T) {
				t.Parallel()
				c.config.Install, c.config.Containment = mustInstall(t), how
				s, err := postgres.Start(t.Context(), c.config)
				var refused *postgres.ContainmentError
				if errors.As(err, &refused) {
					t.Skip(err)
				}
				if err == nil {
					s.Close()
					t.Fatal("Start succeeded, want an error")
				}
				for _, want := range c.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("Start = %q, want it to contain %q", err, want)
					}
				}
			})
		}
	}
}

// TestStandardErrorAsAtStart starts a server while os.Stderr is a test's pipe: nothing must hold it open. Not
// parallel, for it is one variable.
func TestStandardErrorAsAtStart(t *testing.T) {
	old := os.Stderr
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	os.Stderr = w
	s, err := postgres.Start(t.Context(), postgres.Config{Install: mustInstall(t)})
	os.Stderr = old
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fmt.Fprint(w, "hello")
	w.Close()
	r.SetReadDeadline(time.Now().Add(2 * time.Minute))
	if got, err := io.ReadAll(r); string(got) != "hello" || err != nil {
		t.Errorf("the pipe gave %q, %v, want hello and its end", got, err)
	}
}

// TestInitialiserThatClearsTheEnvironment is not parallel, since it sets a variable that all keepers see.
func TestInitialiserThatClearsTheEnvironment(t *testing.T) {
	t.Setenv(initVariable, "clear")
	for _, how := range bothWays {
		t.Run(string(how), func(t *testing.T) {
			if got := mustQuery(t, mustStart(t, postgres.Config{Containment: how}), "select 'here'"); got != "here" {
				t.Errorf("got %q, want here", got)
			}
		})
	}
}

// TestInitialisers is not parallel, since it sets a variable that all keepers see.
func TestInitialisers(t *testing.T) {
	for does, want := range map[string][]string{
		"panic":  {"ended (exit status 2)", "panic: the port is in use", "package initialisers run a second time", "PGCELL_KEEPER"},
		"babble": {`said "hello\n", which is no reply`},
		"start":  {"never became its keeper", "call keeper.Become from an init function"},
	} {
		for _, how := range bothWays {
			t.Run(does+"/"+string(how), func(t *testing.T) {
				t.Setenv(initVariable, does)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				_, err := postgres.Start(ctx, postgres.Config{Install: mustInstall(t), Containment: how})
				var refused *postgres.ContainmentError
				if errors.As(err, &refused) {
					t.Skip(err)
				}
				for _, want := range want {
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("Start = %v, want it to contain %q", err, want)
					}
				}
			})
		}
	}
}

func TestNoSpaceLeft(t *testing.T) {
	t.Parallel()
	_, err := postgres.Start(t.Context(), postgres.Config{Install: mustInstall(t), Containment: keeper.Namespaces,
		Storage: storage.Memory, StorageLimit: 4 << 20})
	var refused *postgres.ContainmentError
	if errors.As(err, &refused) {
		t.Skip(err)
	}
	for _, want := range []string{"prepare server of PostgreSQL", "its memory is full: free some, or set PGCELL_STORAGE=disk"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start with 4 MB = %v, want it to contain %q", err, want)
		}
	}
}

// TestNoSpaceLeftWhileItStarts has files missing when the server looks for them, since there is no room for them.
func TestNoSpaceLeftWhileItStarts(t *testing.T) {
	t.Parallel()
	for storage, want := range map[storage.Kind]string{
		storage.Disk: "no space left on device; the disk is full: free space there",
		storage.Auto: "the filler was asked once more", // memory gives way to disk
	} {
		_, err := postgres.Start(t.Context(), postgres.Config{Install: mustInstall(t), Containment: keeper.Namespaces,
			Storage: storage, StorageLimit: 1 << 30, Source: keeper.Source{Kind: "full"}})
		var refused *postgres.ContainmentError
		if errors.As(err, &refused) {
			t.Skip(err)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start with storage %q = %v, want it to contain %q", storage, err, want)
		}
	}
}

func TestStartEndsWithContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond) // initdb alone takes longer
	defer cancel()
	for _, how := range bothWays {
		_, err := postgres.Start(ctx, postgres.Config{Install: mustInstall(t), Containment: how})
		var refused *postgres.ContainmentError
		if !errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &refused) {
			t.Errorf("Start(%s) = %v, want %v", how, err, context.DeadlineExceeded)
		}
	}
}
