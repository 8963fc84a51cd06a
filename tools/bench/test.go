package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// test is one test of the many that a process runs. Like a *testing.T it has a goroutine of its own, which Fatalf ends,
// and runs its cleanups afterwards.
type test struct {
	number   int64
	mu       sync.Mutex
	failure  error
	cleanups []func()
}

var testNumbers atomic.Int64

func newTest() *test { return &test{number: testNumbers.Add(1)} }

func (t *test) Helper()             {}
func (t *test) Name() string        { return fmt.Sprint("Test", t.number) }
func (t *test) Logf(string, ...any) {}

func (t *test) Failed() bool { return t.err() != nil }

func (t *test) Cleanup(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, do)
}

func (t *test) Fatalf(format string, args ...any) {
	t.mu.Lock()
	if t.failure == nil {
		t.failure = fmt.Errorf("%s: %s", t.Name(), fmt.Sprintf(format, args...))
	}
	t.mu.Unlock()
	runtime.Goexit()
}

func (t *test) err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failure
}

// run runs a body as the test, through its cleanups, and gives the failure.
func (t *test) run(body func()) error {
	t.inside(body)
	return t.end()
}

// inside runs a part of the test.
func (t *test) inside(part func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		part()
	}()
	<-done
}

// end runs the cleanups, the last first. One that fails ends its goroutine, and the next has another.
func (t *test) end() error {
	for t.pending() > 0 {
		t.inside(func() {
			for t.pending() > 0 {
				t.lastCleanup()()
			}
		})
	}
	return t.err()
}

func (t *test) pending() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.cleanups)
}

func (t *test) lastCleanup() func() {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.cleanups)
	last := t.cleanups[n-1]
	t.cleanups = t.cleanups[:n-1]
	return last
}
