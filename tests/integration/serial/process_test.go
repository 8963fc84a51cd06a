package serial_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// childVariable names the file that a child process writes its span to; it is set in children alone.
const childVariable = "SERIAL_SUITE_CHILD_SPAN"

// span is the time in which a test was alone, or had a cell.
type span struct {
	Serial     bool
	Start, End time.Time
}

// processes are the children of TestSerialAcrossProcesses; those whose names begin with "serial" call pgcell.Serial.
var processes = []string{"cell-1", "serial-1", "cell-2", "serial-2", "cell-3"}

// child is what such a process does: it is alone, or has a cell, for a while, and writes down when.
func child(t *testing.T, file string) {
	t.Helper()
	// All set out together: else they might keep apart by chance.
	if err := os.WriteFile(file+".ready", nil, 0o600); err != nil {
		t.Fatalf("say that the child is ready: got error %v, want none", err)
	}
	check.Until(t, "all children are ready", func() bool {
		ready, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*.ready"))
		return err == nil && len(ready) == len(processes)
	})
	s := span{Serial: strings.HasPrefix(filepath.Base(file), "serial")}
	if s.Serial {
		pgcell.Serial(t)
	} else {
		check.Value(t, pgcell.New(t).Pool(), 1, `SELECT 1`)
	}
	s.Start = time.Now()
	time.Sleep(100 * time.Millisecond) // the time that must belong to this test, and not to another
	s.End = time.Now()
	body, err := json.Marshal(s)
	if err != nil {
		t.Fatalf("write span: got error %v, want none", err)
	}
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatalf("write span: got error %v, want none", err)
	}
}

// startChild runs child in another process, which pgcell knows nothing of but by the machine.
func startChild(t *testing.T, file string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	var output bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSerialAcrossProcesses$", "-test.count=1")
	cmd.Stdout, cmd.Stderr = &output, &output
	for _, variable := range os.Environ() {
		// What Bazel says to this process about sharding, filters and reports is not meant for its children.
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "TEST_") && !strings.HasPrefix(name, "TESTBRIDGE_") && name != "XML_OUTPUT_FILE" {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	for _, kept := range []string{"TEST_SRCDIR", "TEST_TMPDIR", "TEST_WORKSPACE"} {
		if value := os.Getenv(kept); value != "" {
			cmd.Env = append(cmd.Env, kept+"="+value)
		}
	}
	cmd.Env = append(cmd.Env, childVariable+"="+file, "GO_TEST_WRAP=0")
	if err := cmd.Start(); err != nil {
		t.Fatalf("start child: got error %v, want none", err)
	}
	return cmd, &output
}

// Serial holds across processes: five at once, two of them serial, and the time of a serial one overlaps with no
// other.
func TestSerialAcrossProcesses(t *testing.T) {
	if file := os.Getenv(childVariable); file != "" {
		child(t, file)
		return
	}
	dir := t.TempDir()
	type process struct {
		cmd    *exec.Cmd
		output *bytes.Buffer
		file   string
	}
	children := make([]process, 0, len(processes))
	for _, name := range processes {
		file := filepath.Join(dir, name)
		cmd, output := startChild(t, file)
		children = append(children, process{cmd, output, file})
	}
	var spans []span
	for _, c := range children {
		if err := c.cmd.Wait(); err != nil {
			t.Fatalf("child %s: got error %v, want none; its output:\n%s", filepath.Base(c.file), err, c.output)
		}
		body, err := os.ReadFile(c.file)
		if err != nil {
			t.Fatalf("span of a child: got error %v, want none; its output:\n%s", err, c.output)
		}
		var s span
		if err := json.Unmarshal(body, &s); err != nil {
			t.Fatalf("span %q: got error %v, want none", body, err)
		}
		spans = append(spans, s)
	}
	slices.SortFunc(spans, func(a, b span) int { return a.Start.Compare(b.Start) })
	for i := 1; i < len(spans); i++ {
		before, after := spans[i-1], spans[i]
		if (before.Serial || after.Serial) && after.Start.Before(before.End) {
			t.Errorf("a serial test's time: got %v to %v and then %v, want no overlap", before.Start, before.End,
				after.Start)
		}
	}
}
