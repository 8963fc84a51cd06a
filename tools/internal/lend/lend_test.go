package lend_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/held"
	"github.com/pgcell/pgcell/tools/internal/lend"
	"github.com/pgcell/pgcell/tools/internal/wire"
)

const password = "a-password"

// connectTo tells a process of this binary to connect to a URL, to say so, and to wait.
const connectTo = "LEND_TEST_CONNECT"

func TestMain(m *testing.M) {
	if url := os.Getenv(connectTo); url != "" {
		conn, err := pgx.Connect(context.Background(), url)
		if err == nil {
			var name string
			err = conn.QueryRow(context.Background(), "SELECT current_database()").Scan(&name)
			fmt.Println(name)
		}
		if err != nil {
			fmt.Println(err)
		}
		if os.Getenv("LEND_TEST_BUSY") != "" { // the server does not notice the end of such a client
			go conn.Exec(context.Background(), "SELECT pg_sleep(60)")
		}
		fmt.Scanln()
		return
	}
	code := m.Run()
	os.RemoveAll(templateDir)
	os.Exit(code)
}

var templateDir string // made by template

var template = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "lend-test-")
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

// mustOpen gives a broker whose command is this process.
func mustOpen(t *testing.T, change func(*lend.Config)) (*lend.Broker, *cells.Cluster) {
	t.Helper()
	path, err := template()
	if err != nil {
		t.Fatal(err)
	}
	install, err := binaries.Find(t.Context(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	var ending atomic.Bool // a database that is being dropped then goes with the server
	warn := func(s string) {
		if !ending.Load() {
			t.Error("warned: " + s)
		}
	}
	cluster, err := cells.Open(t.Context(), cells.Config{Golden: path, Install: install, RolePassword: password, Warn: warn})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := held.Make("/tmp")
	if err != nil {
		t.Fatal(err)
	}
	config := lend.Config{
		Dir: dir.Path(), Password: password, Start: func(context.Context) (*cells.Cluster, error) { return cluster, nil },
		Warn: warn,
	}
	if change != nil {
		change(&config)
	}
	b, err := lend.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ending.Store(true)
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		cluster.Close()
		if err := dir.Remove(); err != nil {
			t.Error(err)
		}
	})
	b.Command(os.Getpid())
	return b, cluster
}

// mustAsk gives the one text value of a query.
func mustAsk(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
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

// client is another process, with a connection.
type client struct {
	cmd      *exec.Cmd
	database string // what it says of its connection
}

// mustConnect starts a process that connects.
func mustConnect(t *testing.T, url string, environ ...string) *client {
	t.Helper()
	c := &client{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), append(environ, connectTo+"="+url)...)
	in, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); c.end(t) })
	if _, err := fmt.Fscanln(out, &c.database); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *client) end(t *testing.T) {
	t.Helper()
	if c.cmd.ProcessState == nil {
		c.cmd.Process.Kill()
		c.cmd.Wait()
	}
}

// await polls until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 2 minutes: %s", what)
		}
	}
}

func count(t *testing.T, cluster *cells.Cluster, sql string, args ...any) (n int) {
	t.Helper()
	if err := cluster.Admin().QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// The command has one database, by TCP and by the socket, and further ones by name. Others are as they are.
func TestCommand(t *testing.T) {
	t.Parallel()
	b, _ := mustOpen(t, nil)
	c := b.Connection()
	name := mustAsk(t, c.URL(), "SELECT current_database()")
	if name != c.Database {
		t.Errorf("current_database() = %q, want %q", name, c.Database)
	}
	socket := fmt.Sprintf("host=%s port=%d user=%s password=%s dbname=", c.Socket, c.Port, c.User, c.Password)
	for database, want := range map[string]string{name: name, name + "_2": name + "_2", name + "_13": name + "_13"} {
		if got := mustAsk(t, socket+database, "SELECT current_database()"); got != want {
			t.Errorf("by socket: current_database() = %q, want %q", got, want)
		}
	}
	for _, database := range []string{"absent", name + "_1", name + "_02", name + "_x"} {
		_, err := pgx.Connect(t.Context(), socket+database)
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != "3D000" {
			t.Errorf("connect to %s: %v, want the server's word that it is not there", database, err)
		}
	}
	if _, err := pgx.Connect(t.Context(), strings.Replace(c.URL(), password, "wrong", 1)); err == nil {
		t.Error("a wrong password is taken")
	}
}

// Workers of runners have databases of their own, which their children share, and those go when a worker is killed, even in
// the middle of a statement.
func TestWorkers(t *testing.T) {
	t.Parallel()
	b, cluster := mustOpen(t, nil)
	c := b.Connection()
	socket := fmt.Sprintf("host=%s port=%d user=%s password=%s dbname=%s", c.Socket, c.Port, c.User, c.Password, c.Database)
	one := mustConnect(t, c.URL(), "JEST_WORKER_ID=1", "LEND_TEST_BUSY=1")
	two := mustConnect(t, socket, "JEST_WORKER_ID=2")
	none := mustConnect(t, socket)
	if none.database != c.Database {
		t.Errorf("a process that no runner started has %s, want %s", none.database, c.Database)
	}
	if !strings.HasPrefix(one.database, "test_db_w0_") || !strings.HasPrefix(two.database, "test_db_w1_") {
		t.Errorf("workers have %s and %s, want test_db_w0_* and test_db_w1_*", one.database, two.database)
	}
	const there = "SELECT count(*) FROM pg_database WHERE datname = $1"
	await(t, "the worker is busy", func() bool {
		return count(t, cluster, "SELECT count(*) FROM pg_stat_activity WHERE query ~ 'pg_sleep' AND datname = $1", one.database) == 1
	})
	one.end(t)
	await(t, "its database is gone", func() bool { return count(t, cluster, there, one.database) == 0 })
	if count(t, cluster, there, two.database) != 1 {
		t.Error("and another worker's database too")
	}
	if next := mustConnect(t, socket, "JEST_WORKER_ID=3"); !strings.HasPrefix(next.database, "test_db_w0_") || next.database == one.database {
		t.Errorf("the next worker has %s, want a new test_db_w0_*", next.database)
	}
}

// A process that has asked for a unit has the names of its databases in its environment.
func TestEnter(t *testing.T) {
	t.Parallel()
	b, _ := mustOpen(t, func(c *lend.Config) { c.Variables = []lend.Variable{{Name: "DSN", Value: "{dbname} {worker}"}} })
	waiting := exec.Command("sleep", "60")
	if err := waiting.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { waiting.Process.Kill(); waiting.Wait() }()
	// The socket tells who asks, and that is this process: the command.
	variables, err := lend.Enter(b.Dir(), waiting.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, v := range variables {
		got[v.Name] = v.Value
	}
	if want := b.Connection().Database; got["TEST_DB_NAME"] != want || got["PGDATABASE"] != want || got["DSN"] != want+" master" {
		t.Errorf("variables %v, want those of %s", got, want)
	}
	if _, err := lend.Enter(t.TempDir(), 1); err == nil || !strings.Contains(err.Error(), "ask pgcell exec for a database: ") {
		t.Errorf("without a broker: %v", err)
	}
}

// A name of the user's choice means each process's own database, and a user's that of the server.
func TestNames(t *testing.T) {
	t.Parallel()
	b, _ := mustOpen(t, func(c *lend.Config) { c.Database, c.User = "shop", "app" })
	c := b.Connection()
	if c.Database != "shop" || c.User != "app" {
		t.Errorf("connection %+v, want shop and app", c)
	}
	if got := mustAsk(t, c.URL(), "SELECT current_user || ' ' || current_database()"); !strings.HasPrefix(got, "pgcell test_db_master_") {
		t.Errorf("shop is %q", got)
	}
	if one := mustConnect(t, c.URL(), "TEST_ENV_NUMBER="); !strings.HasPrefix(one.database, "test_db_w0_") {
		t.Errorf("a worker's shop is %s", one.database)
	}
}

// A request to cancel reaches the server.
func TestCancel(t *testing.T) {
	t.Parallel()
	b, _ := mustOpen(t, nil)
	ensureCancels(t, b.Connection().URL())
}

func ensureCancels(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	defer close(done)
	go func() { // a request that comes too early is passed over
		for {
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
				conn.PgConn().CancelRequest(context.Background())
			}
		}
	}()
	_, err = conn.Exec(t.Context(), "SELECT pg_sleep(30)")
	var cancelled *pgconn.PgError
	if !errors.As(err, &cancelled) || cancelled.Code != "57014" {
		t.Errorf("got %v, want the server's word that the statement was cancelled", err)
	}
}

// With PerProcess each process has a server, which ends with it; names are real, and a request to cancel reaches the server
// of who sends it.
func TestPerProcess(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var clusters []*cells.Cluster
	b, _ := mustOpen(t, func(c *lend.Config) {
		c.PerProcess, c.Database, c.User = true, "app", "postgres"
		c.Start = func(ctx context.Context) (*cells.Cluster, error) {
			path, err := template()
			if err != nil {
				return nil, err
			}
			install, err := binaries.Find(ctx, binaries.DefaultSearch(os.Getenv))
			if err != nil {
				return nil, err
			}
			cluster, err := cells.Open(ctx, cells.Config{Golden: path, Install: install, RolePassword: password, Superuser: true})
			mu.Lock()
			defer mu.Unlock()
			clusters = append(clusters, cluster)
			return cluster, err
		}
	})
	url := b.Connection().URL()
	if got := mustAsk(t, url, "SELECT current_user || ' ' || current_database()"); got != "postgres app" {
		t.Errorf("connected as %q, want postgres to app", got)
	}
	one := mustConnect(t, url, "JEST_WORKER_ID=1")
	two := mustConnect(t, url, "JEST_WORKER_ID=2")
	if one.database != "app" || two.database != "app" || len(clusters) != 3 {
		t.Errorf("workers have %s and %s on %d servers, want app on 3", one.database, two.database, len(clusters))
	}
	ended := clusters[1]
	one.end(t)
	await(t, "the server of the process that ended is gone", func() bool { return ended.Server().Err() != nil })
	ensureCancels(t, url)
}

// What is no start-up message gets no answer, and a client that comes and goes does no harm.
func TestStrangers(t *testing.T) {
	t.Parallel()
	b, _ := mustOpen(t, nil)
	for _, text := range []string{"", "GET / HTTP/1.1\r\n\r\n", "\x00\x00\x00\x08", "\x00\x00\x00\x04aaaa", "\x00\x00\x00\x09\x00\x03\x00\x00x"} {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", b.Connection().Port))
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte(text))
		conn.(*net.TCPConn).CloseWrite()
		conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
		answer := make([]byte, 100)
		if n, err := conn.Read(answer); n > 0 && answer[0] != 'E' || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q is answered by %q, %v", text, answer[:n], err)
		}
		conn.Close()
	}
	mustAsk(t, b.Connection().URL(), "SELECT current_database()")
}

// A server that cannot start is an error for each client, with its reason.
func TestNoServer(t *testing.T) {
	t.Parallel()
	b, err := lend.Open(lend.Config{Dir: t.TempDir(), Password: password, Start: func(context.Context) (*cells.Cluster, error) {
		return nil, errors.New("no room")
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for range 2 {
		if _, err := pgx.Connect(t.Context(), b.Connection().URL()); err == nil || !strings.Contains(err.Error(), "pgcell: no room") {
			t.Errorf("got %v, want the reason", err)
		}
	}
}

// slow is a connection from a machine that is busy for a while.
type slow struct {
	net.Conn
	busy *atomic.Bool
}

func (s slow) Write(p []byte) (int, error) {
	if s.busy.Load() {
		defer time.Sleep(50 * time.Millisecond) // the answer comes meanwhile
	}
	return s.Conn.Write(p)
}

// A connection that was slow to log in gives the client the whole answer to its first query: pgconn, which then reads in
// the background, takes nothing of it.
func TestGreetAfterSlowWrites(t *testing.T) {
	t.Parallel()
	b, cluster := mustOpen(t, nil)
	name := mustAsk(t, b.Connection().URL(), "SELECT current_database()")
	config := cluster.Server().ConnConfig(golden.Role, name).Config
	var busy atomic.Bool
	busy.Store(true)
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return slow{conn, &busy}, err
	}
	pg, err := pgconn.ConnectConfig(t.Context(), &config)
	if err != nil {
		t.Fatal(err)
	}
	busy.Store(false)
	conn, _, err := wire.Greet(t.Context(), pg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Minute))
	if _, err := conn.Write([]byte("Q\x00\x00\x00\x0dSELECT 1\x00")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 1)
	if _, err := conn.Read(answer); err != nil || answer[0] != 'T' {
		t.Errorf("the answer begins with %q, %v; want a row description", answer, err)
	}
}
