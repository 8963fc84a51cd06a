package pgcell

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Bounds of what is written of a failed test's cell, in bytes.
const (
	dumpLimit = 4 << 20
	logLimit  = 256 << 10
)

// dumpPatience bounds the time for it.
const dumpPatience = 20 * time.Second

// keep leaves a failed test's database for a look at it: dumped if the test has a directory for outputs, and kept as
// its server can.
func keep(t TB, c Config, server source, l lease) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), dumpPatience)
	defer cancel()
	tell(t, l.FullMemory())
	tell(t, c.emptyHint())
	server.keep(ctx, t, l, dump(ctx, t, l))
}

// keep leaves the database until the server ends. PGCELL_KEEP=1 has the server outlast the tests, and only then is there
// a line to connect to it.
func (p private) keep(ctx context.Context, t TB, l lease, dumped string) {
	t.Helper()
	l.Keep()
	if !isOn("PGCELL_KEEP") {
		names.keptAs(t, "", dumped)
		// The server goes with this process, mostly before anybody reads this: no line to connect to it.
		t.Logf("pgcell: cell %s goes with its server; set PGCELL_KEEP=1, or pass --keep to pgcell run, to keep both", l.Name())
		return
	}
	dir := p.Server().SocketDir()
	if err := p.Server().Linger(ctx); err != nil {
		t.Logf("pgcell: keep the server of cell %s: %v", l.Name(), err)
		return
	}
	names.keptAs(t, l.URL(), dumped)
	if err := terminal.endAtInterrupt(dir); err != nil {
		t.Logf("pgcell: have Ctrl-C end the server of cell %s: %v", l.Name(), err)
	}
	line := fmt.Sprintf("kept cell %s: psql '%s' (its server stays, and bazel or go test waits for it, until you press"+
		" Ctrl-C or type: rm -r %s)", l.Name(), l.URL(), dir)
	t.Logf("pgcell: %s", line)
	terminal.print(fmt.Sprintf("pgcell: %s failed and %s", t.Name(), line))
}

// panicking reports whether a panic has this goroutine run a test's cleanups: the testing package notes only after them
// that the test has failed.
func panicking() bool {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for {
		f, more := frames.Next()
		if f.Function == "runtime.gopanic" {
			return true
		}
		if !more {
			return false
		}
	}
}

// tell gives a failed test a hint, if there is one.
func tell(t TB, hint string) {
	t.Helper()
	if hint != "" && t.Failed() {
		t.Logf("pgcell: %s", hint)
	}
}

// dump writes a cell's content and the server's words about it to the test's outputs, and gives the path of the former
// below them.
func dump(ctx context.Context, t TB, lease lease) string {
	t.Helper()
	dir, err := outputs()
	if dir == "" {
		if err != nil {
			t.Logf("pgcell: dump cell %s: %v", lease.Name(), err)
		}
		return ""
	}
	base := fileName(t.Name()) + "_" + lease.Name()
	if log := lease.ServerLog(logLimit); log != "" {
		if err := os.WriteFile(filepath.Join(dir, base+".log"), []byte(log), 0o644); err != nil {
			t.Logf("pgcell: write server log of cell %s: %v", lease.Name(), err)
		}
	}
	f, err := os.Create(filepath.Join(dir, base+".sql"))
	if err != nil {
		t.Logf("pgcell: dump cell %s: %v", lease.Name(), err)
		return ""
	}
	defer f.Close()
	if err := lease.Dump(ctx, f, dumpLimit); err != nil {
		t.Logf("pgcell: %v", err)
	}
	// Not where it is now: a sandbox's directories go when the test ends.
	dumped := filepath.Join(filepath.Base(dir), base+".sql")
	t.Logf("pgcell: dumped cell %s: %s (in the directory test.outputs beside the test's log)", lease.Name(), dumped)
	return dumped
}

// fileName makes a test's name one that every file system takes, of at most 100 bytes.
func fileName(test string) string {
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, test)
	return safe[:min(len(safe), 100)]
}
