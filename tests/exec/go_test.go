package exec_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tests/internal/source"
)

var goSuite = call{suite: "go", flags: []string{"--migrations", "migrations"}}

// The packages fail on one database, and pass on one each.
func TestGo(t *testing.T) {
	t.Parallel()
	if r := onOne(t, goSuite, "go test -count=1 -p 8 ./..."); r.code != 1 || !strings.Contains(r.stdout, "FAIL") {
		t.Errorf("on one database: %v; want failed tests", r)
	}
	all := []string{"initdb", "kinds", "pgxpool", "pq", "suite", "testmain"}
	for i, pkg := range all {
		all[i] = "ok  \texample.com/suite/" + pkg
	}
	goSuite.run(t, "go", "test", "./...").ensure(t, 0, all...)
	goSuite.run(t, "go", "test", "-p", "1", "./pq").ensure(t, 0, "pgcell: left out -p 1 of go test")
	goSuite.run(t, "sh", "-c", "go test -p 8 -count=2 ./...").ensure(t, 0, all...)
	// Without the hook the binaries are found by their processes. TestName wants the hook's names.
	goSuite.run(t, "sh", "-c", "GOFLAGS= go test -p 8 -count=1 -skip TestName ./...").ensure(t, 0, all...)
}

// Flags of go test do what they do without pgcell.
func TestGoFlags(t *testing.T) {
	t.Parallel()
	run := func(args ...string) result { return goSuite.run(t, append([]string{"go", "test"}, args...)...) }
	run("-v", "-run", "TestSub/b", "./kinds").ensure(t, 0, "--- PASS: TestSub/b", "database of TestSub/b test_db_w")
	if r := run("-v", "-run", "TestSub/b", "./kinds"); strings.Contains(r.stdout, "TestSub/a") {
		t.Errorf("-run is not obeyed: %v", r)
	}
	run("-v", "-skip", "TestSub", "./kinds").ensure(t, 0, "--- PASS: TestDouble", "--- PASS: ExampleDouble")
	run("-json", "./kinds").ensure(t, 0, `"Action":"pass","Package":"example.com/suite/kinds","Test":"TestDouble"`)
	run("-list", ".", "./initdb", "./kinds").ensure(t, 0, "TestOwn", "TestSub", "BenchmarkName", "FuzzDouble")
	run("-run", "NONE", "-bench", ".", "-benchtime", "2x", "./kinds").ensure(t, 0, "BenchmarkName")
	run("-run", "NONE", "-fuzz", ".", "-fuzztime", "20x", "./kinds").ensure(t, 0, "PASS")
	profile := filepath.Join(t.TempDir(), "cover")
	run("-cover", "-coverpkg", "./...", "-coverprofile", profile, "./kinds").ensure(t, 0, "coverage: 66.7% of statements in ./...")
	if text, err := os.ReadFile(profile); err != nil || !strings.Contains(string(text), "kinds.go") {
		t.Errorf("the profile has %s, %v", text, err)
	}
	if _, err := exec.LookPath("gcc"); err == nil {
		c := goSuite
		c.environ = []string{"CGO_ENABLED=1"}
		c.run(t, "go", "test", "-race", "./kinds").ensure(t, 0, "ok")
	}
	goSuite.run(t, "go", "run", "./print", "a b").ensure(t, 0, "[a b] test_db_master_")
	goSuite.run(t, "go", "vet", "./...").ensure(t, 0)
}

// However a test binary ends, go test tells as it does without pgcell.
func TestGoEnds(t *testing.T) {
	t.Parallel()
	for end, words := range map[string][]string{
		"fail":  {"--- FAIL: TestEnd", "as asked for"},
		"panic": {"panic: as asked for", "goroutine "},
		"exit":  {"exit status 5"},
		"hang":  {"panic: test timed out after 1s"},
	} {
		c := goSuite
		c.environ = []string{"END=" + end}
		c.run(t, "go", "test", "-timeout", "1s", "-run", "TestEnd|TestDouble", "./kinds").ensure(t, 1, words...)
	}
}

// A test binary that hangs says what its sessions wait for, before its time-out.
func TestGoWaits(t *testing.T) {
	t.Parallel()
	c := call{suite: goSuite.suite, flags: append(slices.Clone(goSuite.flags), "--shards", "2"), environ: []string{"END=lock"}}
	r := c.run(t, "go", "test", "-timeout", "20s", "-run", "TestEnd|TestDouble", "./kinds")
	r.ensure(t, 1, "pgcell: TestEnd: the process still runs, and the time-out of 20s is near; its sessions on the server:\n",
		"panic: test timed out after")
	for _, want := range []string{
		`session \d+ in test_db_w\d_\w+, idle in transaction for \d+ s: LOCK TABLE item\n`,
		`session \d+ in test_db_w\d_\w+, active for \d+ s, waits for Lock relation, blocked by \d+: LOCK TABLE item\n`,
	} {
		if !regexp.MustCompile(want).MatchString(r.stdout) {
			t.Errorf("lacks %s: %v", want, r)
		}
	}
}

// Ginkgo's command starts a test binary several times, for some of its specs each. These processes have databases of their
// own.
func TestGinkgo(t *testing.T) {
	t.Parallel()
	tree, err := source.Tree()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() // the command builds binaries beside the sources
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(tree, "tests", "exec", "suites", "ginkgo"))); err != nil {
		t.Fatal(err)
	}
	download := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "ginkgo"), "github.com/onsi/ginkgo/v2/ginkgo")
	download.Dir, download.Env = dir, source.Environ()
	if out, err := download.CombinedOutput(); err != nil {
		t.Skipf("Ginkgo cannot be built: %v: %s", err, out)
	}
	c := call{suite: dir, flags: []string{"--migrations", "migrations"}}
	c.run(t, "./ginkgo", "-p", "--procs=3", "--no-color", "./...").ensureOwn(t, "Ran 6 of 6 Specs", "Test Suite Passed")
	c.run(t, "go", "test", "-v", "./...").ensureOwn(t, "6 Passed")
}

// An interrupt ends the tests and pgcell, which leaves nothing.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	c := goSuite
	c.environ = []string{"END=hang"}
	cmd, dir := c.command(t, "go", "test", "-v", "-run", "TestSub|TestEnd", "./kinds")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	mustRead(t, out, regexp.MustCompile(`RUN +TestEnd`))
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code == 0 || code == -1 {
		t.Errorf("exit %d", code)
	}
	ensureEmpty(t, dir)
}

// mustRead reads until a pattern is found.
func mustRead(t *testing.T, out interface{ Read([]byte) (int, error) }, want *regexp.Regexp) string {
	t.Helper()
	found := make(chan string, 1)
	go func() {
		var text []byte
		for buffer := make([]byte, 1000); ; {
			n, err := out.Read(buffer)
			text = append(text, buffer[:n]...)
			if want.Match(text) || err != nil {
				found <- string(text)
				return
			}
		}
	}()
	select {
	case text := <-found:
		if !want.MatchString(text) {
			t.Fatalf("%q lacks %v", text, want)
		}
		return text
	case <-time.After(2 * time.Minute):
		t.Fatalf("no %v within 2 minutes", want)
	}
	return ""
}
