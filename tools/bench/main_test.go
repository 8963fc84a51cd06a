package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// benchEnv has the test binary be the bench.
const benchEnv = "PGCELL_BENCH"

// TestMain lets the test binary be the process in which the bench measures memory.
func TestMain(m *testing.M) {
	if os.Getenv(benchEnv) != "" {
		os.Unsetenv(benchEnv)
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	if os.Getenv(childEnv) != "" {
		flag.Parse() // pgcell asks for -test.v
		os.Exit(run(nil, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// mustBench runs the bench and gives its standard output, and what -json wrote.
func mustBench(t *testing.T, args ...string) (printed string, r result) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "result.json")
	var stdout, stderr bytes.Buffer
	if code := run(append(args, "-json", file), &stdout, &stderr); code != 0 {
		t.Fatalf("bench %v ended with %d:\n%s", args, code, &stderr)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return stdout.String(), r
}

// Not parallel, as the others that run the bench: it sets environment variables of the process.
func TestCompare(t *testing.T) {
	svg := filepath.Join(t.TempDir(), "plot.svg")
	printed, r := mustBench(t, "-quick", "-bodies", "rows,read,ddl", "-svg", svg)
	var got []string
	for _, row := range r.Rows {
		got = append(got, row.Body+" "+row.Method)
		for _, a := range row.At {
			if a.Rate <= 0 || a.Floor <= 0 || a.Pgtestdb <= 0 {
				t.Errorf("%s, %d at once: %+v, want figures above zero", row.Method, a.Parallel, a)
			}
		}
		if !strings.Contains(printed, row.Method+" ") {
			t.Errorf("the table has no line for %s:\n%s", row.Method, printed)
		}
	}
	ways := []string{"floor", "rollback", "recycling", "ahead", "on demand", "pgtestdb"}
	var want []string
	for _, body := range []string{"rows", "read", "ddl"} {
		for _, way := range ways {
			want = append(want, body+" "+way)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows = %v, want %v", got, want)
	}
	for _, m := range r.Memory {
		if m.Server < 5<<20 || m.Keeper < 1<<20 || m.Keeper > m.Server/2 || m.Test < 5<<20 || m.Data < 30<<20 || m.Processes < 5 {
			t.Errorf("memory of %d workers with %d at once = %+v, want what a server takes", m.Workers, m.Parallel, m)
		}
	}
	if len(r.Memory) != 2 || r.Memory[0].Workers != 2 || r.Memory[1].Workers != 1 {
		t.Errorf("memory was measured as %+v, want two workers, and one", r.Memory)
	}
	if r.Pgtestdb == "" || r.Pgx == "" || r.Postgres == "" || r.Go == "" {
		t.Errorf("versions are missing: %+v", r)
	}
	ensureDrawing(t, svg, ways)
}

// ensureDrawing asserts that a file is XML with all of these texts.
func ensureDrawing(t *testing.T, path string, want []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("the plot is no XML: %v", err)
		}
	}
	for _, w := range want {
		if !strings.Contains(string(text), ">"+w+"</text>") {
			t.Errorf("the plot does not name %q", w)
		}
	}
}

// A bench that is asked to end leaves neither its directory nor a server.
func TestStopped(t *testing.T) {
	for _, methods := range []string{"floor,recycling,on demand", "pgtestdb"} {
		temporary := t.TempDir()
		cmd := exec.Command(os.Args[0], "-bodies", "rows", "-methods", methods, "-time", "2s")
		cmd.Env = append(os.Environ(), benchEnv+"=1", "TMPDIR="+temporary)
		out, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill()
		var said []string
		for lines := bufio.NewScanner(out); lines.Scan(); {
			said = append(said, lines.Text())
			if len(said) == 1 { // what it begins with
				cmd.Process.Signal(syscall.SIGTERM)
			}
		}
		err = cmd.Wait()
		if cmd.ProcessState.ExitCode() != 1 || !slices.ContainsFunc(said, func(line string) bool {
			return strings.HasPrefix(line, "bench: stopped before its end, and nothing is written: terminated")
		}) {
			t.Errorf("with %s it ended with %v, want 1, and said\n%s", methods, err, strings.Join(said, "\n"))
		}
		left, err := os.ReadDir(temporary)
		if err != nil || len(left) > 0 {
			t.Errorf("with %s it left %v, %v", methods, left, err)
		}
	}
}

func TestLong(t *testing.T) {
	printed, r := mustBench(t, "-quick", "-long")
	var at []int
	for _, p := range r.Long {
		at = append(at, p.Tests)
		if p.Rate <= 0 || p.Heap == 0 || p.Server < 5<<20 || p.Files == 0 || p.ServerFiles == 0 ||
			p.Databases < 4 || p.Tables < 1<<20 || p.Data < 30<<20 {
			t.Errorf("after %d tests: %+v, want what a server takes", p.Tests, p)
		}
	}
	if want := []int{10, 50, 100}; !slices.Equal(at, want) {
		t.Errorf("looked after %v tests, want %v", at, want)
	}
	if !strings.Contains(printed, "| connections |") {
		t.Errorf("no table was printed:\n%s", printed)
	}
}

func TestUsage(t *testing.T) {
	for name, args := range map[string][]string{
		"argument": {"rows"}, "no repetition": {"-repetitions", "0"}, "no time": {"-time", "0"},
		"few tests":    {"-long", "-tests", "9"},
		"unknown body": {"-bodies", "rows,columns"}, "unknown method": {"-methods", "magic"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(args, &stdout, &stderr); code != 2 || !strings.Contains(stderr.String(), "Usage: bench") {
				t.Errorf("bench %v ended with %d, want 2 and the usage:\n%s", args, code, &stderr)
			}
		})
	}
}

// A failing test must end the bench: figures of tests that did not do their work mean nothing.
func TestFailure(t *testing.T) {
	broken := newTest()
	err := broken.run(func() {
		broken.Cleanup(func() { broken.Logf("runs") })
		broken.Cleanup(func() { broken.Fatalf("second failure") })
		broken.Fatalf("no table %q", "x")
	})
	if err == nil || !strings.HasSuffix(err.Error(), `: no table "x"`) {
		t.Errorf("run = %v, want the first failure", err)
	}
	if broken.pending() != 0 {
		t.Errorf("%d cleanups were not run", broken.pending())
	}
}

// MODULE.bazel names the modules of this go.mod that the main one has not.
func TestModules(t *testing.T) {
	module, sums := mustRead(t, "../../MODULE.bazel"), mustRead(t, "go.sum")
	main := mustRead(t, "../../go.mod")
	for line := range strings.Lines(goMod) {
		f := strings.Fields(line)
		if len(f) < 2 || !strings.HasPrefix(f[1], "v") || f[0] == "github.com/pgcell/pgcell" {
			continue
		}
		path, version := f[0], f[1]
		if strings.Contains(main, path+" "+version) {
			continue
		}
		_, sum, _ := strings.Cut(sums, path+" "+version+" ")
		sum, _, _ = strings.Cut(sum, "\n")
		want := "path = \"" + path + "\",\n    sum = \"" + sum + "\",\n    version = \"" + version + "\","
		if !strings.Contains(module, want) {
			t.Errorf("MODULE.bazel has no dev_deps.module of %s; want\n    %s", path, want)
		}
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
