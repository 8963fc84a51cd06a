package pgcell

import (
	"context"
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
