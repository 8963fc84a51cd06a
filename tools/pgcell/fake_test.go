package pgcell_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeTB is a test whose failing is looked at. Like the real one, it stops its goroutine and runs its cleanups.
type fakeTB struct {
	name     string
	mu       sync.Mutex
	fatal    string
	logs     []string
	cleanups []func()
}

func (f *fakeTB) Helper()          {}
func (f *fakeTB) Name() string     { return f.name }
func (f *fakeTB) Failed() bool     { return f.fatal != "" }
func (f *fakeTB) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }

func (f *fakeTB) Logf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logs = append(f.logs, fmt.Sprintf(format, args...))
}

func (f *fakeTB) Fatalf(format string, args ...any) {
	f.fatal = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// run runs a body as a test of its own, to its end and through its cleanups.
func (f *fakeTB) run(body func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer f.cleanUp()
		body()
	}()
	<-done
}

// cleanUp runs the cleanups, also those that come after one which fails the test.
func (f *fakeTB) cleanUp() {
	for len(f.cleanups) > 0 {
		last := f.cleanups[len(f.cleanups)-1]
		f.cleanups = f.cleanups[:len(f.cleanups)-1]
		func() {
			ended := false
			defer func() {
				if !ended { // by Fatalf, which ends the goroutine
					f.cleanUp()
				}
			}()
			last()
			ended = true
		}()
	}
}

// ensureFatal runs a body that must fail its test with a message that holds all of want.
func ensureFatal(t *testing.T, body func(*fakeTB), want ...string) {
	t.Helper()
	f := &fakeTB{name: t.Name()}
	f.run(func() { body(f) })
	for _, w := range want {
		if !strings.Contains(f.fatal, w) {
			t.Errorf("failed with %q, want it to contain %q", f.fatal, w)
		}
	}
}

// ensureSoon polls until a condition holds.
func ensureSoon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not after 2 minutes: %s", what)
		}
	}
}
