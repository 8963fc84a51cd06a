package exec_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestFigures measures what docs/performance.md says of "pgcell exec", each beside what it is compared with:
//
//	EXEC_FIGURES=1 go test -v -count=1 -timeout 30m -run TestFigures ./tests/exec
//
// It takes some minutes, and nothing else should run.
//
// Not parallel: it measures.
func TestFigures(t *testing.T) {
	if os.Getenv("EXEC_FIGURES") == "" {
		t.Skip("EXEC_FIGURES is not set: it takes some minutes, and nothing else should run")
	}
	f := &figures{t: t, call: call{suite: t.TempDir(), flags: []string{"--migrations", "migrations"}, environ: []string{"XDG_CACHE_HOME=" + t.TempDir()}}}
	if cache, err := os.UserCacheDir(); err == nil { // recorded times are new, the go command's cache is not
		f.call.environ = append(f.call.environ, "GOCACHE="+filepath.Join(cache, "go-build"))
	}
	mustCopy(t, "shop", f.call.suite)
	for _, name := range []string{"waits/waits_test.go", "computes/computes_test.go", "client/main.go"} {
		file := filepath.Join(f.call.suite, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, file, sources[name])
	}
	f.call.run(t, "go", "build", "-o", "client.test", "./client").ensure(t, 0)
	f.call.run(t, "sh", "-c", "GOFLAGS= go test -vet=off -run NONE ./...").ensure(t, 0) // compiled, and the template is made
	fmt.Printf("%s, %d cores, load %s\n\n| what | alone | `pgcell exec` | ratio or difference |\n|---|---|---|---|\n",
		runtime.GOOS, runtime.NumCPU(), load())
	for _, part := range []struct {
		name    string
		measure func()
	}{{"packages", f.packages}, {"waits", f.waits}, {"computes", f.computes}, {"start", f.start}, {"process", f.process}, {"database", f.database}} {
		t.Run(part.name, func(t *testing.T) {
			f.t = t
			part.measure()
		})
	}
	fmt.Println("\nload at the end", load())
}

// sources are what the suite shop lacks.
var sources = map[string]string{
	"waits/waits_test.go": `package waits

import (
	"testing"
	"time"

	"example.com/shop/internal/testdb"
)

func wait(t *testing.T) {
	db := testdb.Open(t)
	testdb.Exec(t, db, "INSERT INTO item (name) VALUES ('a')")
	time.Sleep(150 * time.Millisecond)
	testdb.EnsureInt(t, db, 1, "SELECT count(*) FROM item")
}
` + numbered(80, "func Test%02d(t *testing.T) { wait(t) }\n"),
	"computes/computes_test.go": `package computes

import (
	"crypto/sha256"
	"testing"

	"example.com/shop/internal/testdb"
)

func compute(t *testing.T) {
	t.Parallel()
	var sum [32]byte
	for range 3_000_000 {
		sum = sha256.Sum256(sum[:])
	}
	testdb.Open(t)
}
` + numbered(4, "func Test%02d(t *testing.T) { compute(t) }\n"),
	// It says how many microseconds it takes to connect and ask for something.
	"client/main.go": `package main

import (
	"database/sql"
	"fmt"
	"os"
	"time"

	_ "github.com/lib/pq"
)

func main() {
	if os.Getenv("NEVER") != "" {
		return
	}
	start := time.Now()
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	if err == nil {
		_, err = db.Exec("SELECT 1")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(time.Since(start).Microseconds())
}
`,
}

func numbered(n int, line string) (text string) {
	for i := range n {
		text += fmt.Sprintf(line, i)
	}
	return text
}

type figures struct {
	t    *testing.T
	call call
}

func (f *figures) packages() {
	packages := "$(go list ./... | grep -v -e /waits -e /computes -e /client)"
	f.compare("20 packages, `go test -p 1` on one database", "go test -count=1 -vet=off -p 1 "+packages, "go test -count=1 -vet=off "+packages)
}

func (f *figures) waits() {
	f.compareDivided("80 tests that wait 150 ms each", "go test -count=1 -vet=off -p 1 ./waits")
}

func (f *figures) computes() {
	f.compareDivided("4 parallel tests that compute", "go test -count=1 -vet=off -p 1 ./computes")
}

func (f *figures) compareDivided(what, command string) {
	for _, run := range []string{"first run", "times recorded"} {
		f.compare(what+", `--shards auto`, "+run, command, command, "--shards", "auto")
	}
}

func (f *figures) row(what string, alone, under time.Duration, result string) {
	fmt.Printf("| %s | %v | %v | %s |\n", what, round(alone), round(under), result)
}

// round leaves three digits or so.
func round(d time.Duration) time.Duration {
	if d < 100*time.Millisecond {
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(10 * time.Millisecond)
}

// direct begins scripts that connect to the server itself, which runs already, and not to pgcell: all processes have
// the command's database.
const direct = `psql -qc 'SELECT 1' >&2 && GOFLAGS= && dir=$(dirname "$PGCELL_SOCKET_DIR"/*/.s.PGSQL.5432)
name=$(psql -Atc 'SELECT current_database()') && export GOFLAGS PGHOST=$dir PGPORT=5432 PGDATABASE=$name
export DATABASE_URL="host=$dir port=5432 user=pgcell password=$PGPASSWORD dbname=$name sslmode=disable" && psql -qc 'SELECT 1' >&2 &&
`

// compare measures a command on one database of a server that runs already, and another one under exec from its start to
// its end.
func (f *figures) compare(what, alone, under string, flags ...string) {
	f.t.Helper()
	stamp := filepath.Join(f.t.TempDir(), "stamp")
	r := f.call.run(f.t, "sh", "-c", direct+fmt.Sprintf("date +%%s%%N >%s && %s && date +%%s%%N >>%[1]s", stamp, alone))
	r.ensure(f.t, 0)
	one := f.difference(stamp)
	c := f.call
	c.flags = slices.Concat(c.flags, flags)
	start := time.Now()
	c.run(f.t, "sh", "-c", under).ensure(f.t, 0)
	all := time.Since(start)
	f.row(what, one, all, fmt.Sprintf("%.2f", all.Seconds()/one.Seconds()))
}

// difference reads two times from a file.
func (f *figures) difference(file string) time.Duration {
	f.t.Helper()
	text, _ := os.ReadFile(file)
	words := strings.Fields(string(text))
	if len(words) != 2 {
		f.t.Fatalf("%s has %q, want two times", file, text)
	}
	from, err := strconv.ParseInt(words[0], 10, 64)
	if err != nil {
		f.t.Fatal(err)
	}
	to, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		f.t.Fatal(err)
	}
	return time.Duration(to - from)
}

// repetitions is how often short things are measured; the median counts.
const repetitions = 15

func median(all []time.Duration) time.Duration { return slices.Sorted(slices.Values(all))[len(all)/2] }

// start compares exec around one query, and around nothing, with starting postgres on such a data directory and asking
// the same.
func (f *figures) start() {
	dir, err := os.MkdirTemp("/dev/shm", "pgcell-figures-")
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { os.RemoveAll(dir) })
	as := []string{"unshare", "--user", "--map-user=65534", "--map-group=65534"}
	bin, err := exec.Command("sh", "-c", `dirname "$(readlink -f "$(command -v initdb || ls /usr/lib/postgresql/*/bin/initdb | tail -1)")"`).Output()
	if err != nil {
		f.t.Fatal(err)
	}
	programs := strings.TrimSpace(string(bin))
	initdb := exec.Command(as[0], append(as[1:], programs+"/initdb", "--no-sync", "-A", "trust", "-U", "pgcell", "-D", dir+"/data")...)
	if out, err := initdb.CombinedOutput(); err != nil {
		f.t.Fatalf("initdb: %v: %s", err, out)
	}
	var plain, query, nothing []time.Duration
	for range repetitions {
		begin := time.Now()
		server := exec.Command(as[0], append(as[1:], programs+"/postgres", "-D", dir+"/data", "-k", dir, "-c", "listen_addresses=", "-F")...)
		var log bytes.Buffer
		server.Stderr = &log
		if err := server.Start(); err != nil {
			f.t.Fatal(err)
		}
		for exec.Command("psql", "-h", dir, "-U", "pgcell", "-d", "postgres", "-qc", "SELECT 1").Run() != nil {
			if time.Since(begin) > time.Minute {
				f.t.Fatalf("postgres does not start: %s", &log)
			}
		}
		plain = append(plain, time.Since(begin))
		server.Process.Signal(os.Interrupt)
		server.Wait()
		query = append(query, f.time("psql", "-qc", "SELECT 1"))
		nothing = append(nothing, f.time("true"))
	}
	ratio := func(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()/median(plain).Seconds()) }
	f.row("start `postgres` and ask one query; `pgcell exec -- psql -c 'SELECT 1'`", median(plain), median(query), ratio(median(query)))
	f.row("the same; `pgcell exec -- true`", median(plain), median(nothing), ratio(median(nothing)))
}

func (f *figures) time(command ...string) time.Duration {
	begin := time.Now()
	f.call.run(f.t, command...).ensure(f.t, 0)
	return time.Since(begin)
}

// process compares test processes that never connect with and without the hook of go test.
func (f *figures) process() {
	const n = 100
	each := func(hook string) time.Duration {
		stamp := filepath.Join(f.t.TempDir(), "stamp")
		f.call.run(f.t, "sh", "-c", fmt.Sprintf(`export NEVER=1; hook=${GOFLAGS##*-exec=}; date +%%s%%N >%s; i=0
while [ $i -lt %d ]; do %s ./client.test -test.v=true || exit; i=$((i+1)); done; date +%%s%%N >>%[1]s`, stamp, n, hook)).ensure(f.t, 0)
		return f.difference(stamp) / n
	}
	alone, under := each(""), each("$hook")
	f.row("a test process that never connects", alone, under, fmt.Sprint(round(under-alone)))
}

// database compares the time until a new process has an answer from its first connection: on one database, and on a new
// one each.
func (f *figures) database() {
	ask := func(before, hook string) time.Duration {
		r := f.call.run(f.t, "sh", "-c", before+fmt.Sprintf(`hook=${GOFLAGS##*-exec=}; i=0
while [ $i -lt 60 ]; do %s ./client.test -test.v=true || exit; i=$((i+1)); done`, hook))
		r.ensure(f.t, 0)
		var all []time.Duration
		for _, word := range strings.Fields(r.stdout) {
			n, err := strconv.Atoi(word)
			if err != nil {
				f.t.Fatal(err)
			}
			all = append(all, time.Duration(n)*time.Microsecond)
		}
		return median(all[1:]) // the first has to wait for the server
	}
	alone, under := ask(direct, ""), ask("psql -qc 'SELECT 1' >&2 && ", "$hook")
	f.row("a process's first connection, and one query", alone, under, fmt.Sprint(round(under-alone)))
}

// load is the machine's.
func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	return strings.Join(strings.Fields(string(text))[:1], " ")
}
