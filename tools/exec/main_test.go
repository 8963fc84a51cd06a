package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/child"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/lend"
)

// TestMain is the launcher, its watcher, or a client where this binary is called so.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "launch":
		os.Exit(run(os.Args, os.Environ(), os.Stderr))
	case child.WatchName:
		os.Exit(child.Watch(os.Args[1:], os.Stdin, nil))
	case "client":
		if err := connect(context.Background()); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	os.RemoveAll(templateDir)
	os.Exit(code)
}

// connect says what its environment leads to. With CLIENT_STAYS it waits until it is killed.
func connect(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	var name string
	if err := conn.QueryRow(ctx, "SELECT current_database() || ' of ' || count(*) FROM item").Scan(&name); err != nil {
		return err
	}
	fmt.Println(name, os.Getenv("DSN"))
	if os.Getenv("CLIENT_STAYS") != "" {
		select {}
	}
	return nil
}

var templateDir string // made by template

var template = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "exec-test-")
	if err != nil {
		return "", err
	}
	templateDir = dir
	install, err := binaries.Find(context.Background(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "x.pgcell")
	return path, golden.BuildFile(context.Background(), path, install, golden.Recipe{
		Migrations: []golden.Script{{Name: "1.sql", SQL: "CREATE TABLE item (n int)"}},
	}, golden.Options{})
})

func mustTemplate(t *testing.T) string {
	t.Helper()
	path, err := template()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// mustLink gives the path of a link to this binary.
func mustLink(t *testing.T, dir, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(dir, name))
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// mustLauncher gives a call of the launcher as Bazel makes it, not started yet.
func mustLauncher(t *testing.T, c config, args ...string) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	path := mustLink(t, t.TempDir(), "launch")
	if err := os.WriteFile(path+configSuffix, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return exec.CommandContext(t.Context(), path, args...)
}

// A test has a database that is called by its shard, and further variables. Processes below it have the same.
func TestDatabase(t *testing.T) {
	t.Parallel()
	c := config{Template: mustTemplate(t), Variables: []lend.Variable{{Name: "DSN", Value: "{worker} {dbname}"}}}
	client := mustLink(t, t.TempDir(), "client")
	for index, worker := range map[string]string{"": "master", "3": "w3"} {
		cmd := mustLauncher(t, c, "sh", "-c", client+" && "+client)
		cmd.Env = append(os.Environ(), "TEST_SHARD_INDEX="+index)
		out, err := cmd.CombinedOutput()
		want := fmt.Sprintf(`^(test_db_%s_[0-9a-f]{8}) of 0 %s (\S+)\n`, worker, worker)
		m := regexp.MustCompile(want).FindSubmatch(out)
		if err != nil || m == nil || !bytes.Equal(m[1], m[2]) || bytes.Count(out, m[0]) != 2 {
			t.Errorf("shard %q: %v: %s; want twice a line like %s", index, err, out, want)
		}
	}
}

// A test that never connects starts no server: it does not matter that the template is none. Its exit code and its streams
// are its own.
func TestNoConnection(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	none := filepath.Join(dir, "x.pgcell")
	if err := os.WriteFile(none, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := mustLauncher(t, config{Template: none}, "sh", "-c", "cat; echo error >&2; exit 7")
	cmd.Stdin = strings.NewReader("input\n")
	out, err := cmd.CombinedOutput()
	if got, want := fmt.Sprintf("%s%v", out, err), "input\nerror\nexit status 7"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	out, err = mustLauncher(t, config{Template: none}, mustLink(t, dir, "client")).CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("pgcell: read golden cluster")) || !bytes.Contains(out, []byte(none)) {
		t.Errorf("a client of no template: %v: %s; want the reason", err, out)
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	c := config{Test: "/x/test", Args: []string{"a 'b c'", "--flag=d"}}
	got, err := c.command([]string{"e f"})
	if want := []string{"/x/test", "a", "b c", "--flag=d", "e f"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	there := mustTemplate(t)
	for name, c := range map[string]struct {
		config config
		args   []string
		want   string
	}{
		"no command": {config{Template: there}, nil,
			"pgcell: no test is given: this program is for bazel test --run_under=@pgcell//tools/exec:run"},
		"no template":   {config{Template: "w/x.pgcell"}, []string{"true"}, `pgcell: find "w/x.pgcell" among the runfiles in "": not there`},
		"no test":       {config{Template: there, Test: "w/x"}, nil, `pgcell: find "w/x" among the runfiles in "": not there`},
		"no executable": {config{Template: there, Test: "/no/such"}, nil, "pgcell: run /no/such: fork/exec /no/such: no such file or directory"},
		"open quote": {config{Template: there, Test: "/bin/true", Args: []string{"'a"}}, nil,
			`pgcell: split argument "'a" of the test: Unterminated single-quoted string`},
	} {
		cmd := mustLauncher(t, c.config, c.args...)
		cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
			return strings.HasPrefix(v, "TEST_SRCDIR=") || strings.HasPrefix(v, "RUNFILES_DIR=")
		})
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); got != c.want || fmt.Sprint(err) != "exit status 125" {
			t.Errorf("%s: %v: %s; want %s", name, err, got, c.want)
		}
	}
	lone := exec.Command(mustLink(t, t.TempDir(), "launch"), "true")
	out, err := lone.CombinedOutput()
	if fmt.Sprint(err) != "exit status 125" || !bytes.Contains(out, []byte("this program is for bazel test --run_under=@pgcell//tools/exec:run")) {
		t.Errorf("without its file: %v: %s", err, out)
	}
}

// Nothing is left when Bazel kills the launcher: no process, no directory of its.
func TestKilled(t *testing.T) {
	t.Parallel()
	parent, err := os.MkdirTemp("/tmp", "exec-killed-") // a path that a socket's name has room for
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(parent)
	mark := "PGCELL_SOCKET_DIR=" + parent
	cmd := mustLauncher(t, config{Template: mustTemplate(t)}, mustLink(t, t.TempDir(), "client"))
	cmd.Env = append(os.Environ(), mark, "CLIENT_STAYS=1")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if n, err := out.Read(make([]byte, 1)); n == 0 {
		t.Errorf("the client says nothing: %v", err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		left := append(marked(mark), mustReadDir(t, parent)...)
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("this is left: %v", left)
		}
	}
}

func mustReadDir(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// marked gives the processes that have a variable in their environment, where the system shows that.
func marked(variable string) (found []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is well formed
	for _, file := range files {
		environ, err := os.ReadFile(file)
		if err == nil && bytes.Contains(environ, []byte(variable)) {
			found = append(found, file)
		}
	}
	return found
}
