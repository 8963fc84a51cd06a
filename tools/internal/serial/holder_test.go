package serial_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/serial"
)

// ensureHolders waits until a gate tells of exactly these tests, each with its way.
func ensureHolders(t *testing.T, g *serial.Gate, want ...string) {
	t.Helper()
	var got []string
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		got = nil
		for _, h := range g.Holders() {
			if h.PID != os.Getpid() || h.Program == "" || time.Since(h.Since) > time.Minute {
				t.Fatalf("holder %+v, want this process, since some seconds", h)
			}
			got = append(got, h.Test+" "+string(h.Way))
		}
		if strings.Join(got, ", ") == strings.Join(want, ", ") {
			return
		}
	}
	t.Errorf("holders are %q, want %q", got, want)
}

// TestHolders has somebody of another process, which to flock is another open file, told who is in, and then told of
// nobody any more.
func TestHolders(t *testing.T) {
	t.Parallel()
	g := mustGate(t)
	g.Notes = t.TempDir()
	other := &serial.Gate{Door: g.Door, Room: g.Room, Notes: g.Notes}
	stranger := &serial.Gate{Door: t.TempDir(), Room: g.Room, Notes: g.Notes}
	leave, err := g.Share(t.Context(), "TestIn")
	if err != nil {
		t.Fatal(err)
	}
	ensureHolders(t, other, "TestIn beside others")
	ensureHolders(t, stranger)
	entered := make(chan func())
	go func() {
		leave, err := other.Alone(t.Context(), "TestAlone")
		if err != nil {
			t.Error(err)
		}
		entered <- leave
	}()
	ensureHolders(t, g, "TestIn beside others", "TestAlone waiting to be alone")
	leave()
	leave = <-entered
	ensureHolders(t, g, "TestAlone alone")
	leave()
	ensureHolders(t, g)
	if left, _ := filepath.Glob(filepath.Join(g.Notes, "*")); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

// TestNoteOfKilledProcess has a note that nobody holds, which is no word of anybody and goes with the next one.
func TestNoteOfKilledProcess(t *testing.T) {
	t.Parallel()
	g := mustGate(t)
	g.Notes = t.TempDir()
	leave, err := g.Share(t.Context(), "TestIn")
	if err != nil {
		t.Fatal(err)
	}
	var notes []string
	for deadline := time.Now().Add(2 * time.Minute); len(notes) == 0 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		notes, _ = filepath.Glob(filepath.Join(g.Notes, "*"))
	}
	if len(notes) != 1 {
		t.Fatalf("notes are %q, want one", notes)
	}
	text, err := os.ReadFile(notes[0])
	if err != nil {
		t.Fatal(err)
	}
	leave()
	dead := notes[0] + "0"
	if err := os.WriteFile(dead, text, 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(dead, long, long); err != nil {
		t.Fatal(err)
	}
	ensureHolders(t, g)
	leave, err = g.Share(t.Context(), "TestNext")
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(dead); os.IsNotExist(err) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the note of a process that is gone has stayed")
		}
	}
}
