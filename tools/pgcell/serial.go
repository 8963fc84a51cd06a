package pgcell

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pgcell/pgcell/tools/internal/serial"
)

// gates knows which tests of this process are in, and by which way.
var gates = &entrances{gate: serial.Here(), tests: map[TB]*pass{}}

type entrances struct {
	gate    *serial.Gate
	mu      sync.Mutex
	tests   map[TB]*pass
	waiting int       // tests of this process in Serial that wait
	changed time.Time // when tests or waiting last changed
}

// pass is what a test is in by. Its subtests are in by the same: a test waits for its subtests, so these must not wait
// for somebody who waits for the test.
type pass struct {
	alone bool
	leave func()
	tests int // that are in by it
}

// stuck is how long every turn of go test's parallel tests must have been with tests that wait in Serial, and nothing
// else have changed, before one of them fails: longer than the cleanup of a failed test takes.
const stuck = dumpPatience + 2*time.Second

// Serial waits until no other test of the workspace that uses this package runs on the machine, in whatever process or
// sandbox, and keeps all others from starting until this test ends. The workspace is the Bazel workspace, without Bazel
// the nearest directory above the working directory that holds a MODULE.bazel, or else a go.mod; tests of another workspace,
// or of another checkout of this one, do not matter. Where it cannot be found (remote execution), all tests of the machine do. Call
// Serial first, before New. In a test that calls t.Parallel, call it after that. Subtests of the test do not wait: those that call t.Parallel run beside each other, even if they call
// Serial themselves.
//
// Take cells after t.Parallel. If a test takes a cell and then calls t.Parallel, a serial test of the same process that
// is not parallel waits for it for ever. Waits of more than 5 s are reported in the test's log, with the tests that it
// waits for. The test fails
//   - if it is a subtest of a test that has a cell, or
//   - if tests that wait hold all turns of go test -parallel, so that no test can end.
func Serial(t TB) {
	t.Helper()
	if in, of := gates.join(t); in != nil {
		if !in.alone && of == t {
			t.Fatalf("pgcell.Serial: this test has a database already, and may be run beside others that wait as well; call Serial first")
		}
		if !in.alone {
			t.Fatalf("pgcell.Serial: %s, which waits for this subtest, has a database already and cannot make room; call Serial there, first", of.Name())
		}
		return
	}
	gates.enter(t, gates.gate.Alone, true)
}

// enter takes this test's share in the workspace, unless it has one, and tells how long it waited.
func enter(t TB) time.Duration {
	t.Helper()
	if time.Now().Year() == 2000 { // where the clock of such a bubble starts, and nothing says more
		t.Fatalf("pgcell: this is a bubble of testing/synctest, whose clock stands still while a server works; " +
			"call pgcell before synctest.Test, and connect outside of it")
	}
	if in, _ := gates.join(t); in != nil {
		return 0
	}
	start := time.Now()
	gates.enter(t, gates.gate.Share, false)
	return time.Since(start)
}

// join has a test be in by the pass that it has, or that the test has which it is a subtest of; of is that test. A test
// knows nothing of its parent, but its name begins with the parent's and a slash.
func (e *entrances) join(t TB) (in *pass, of TB) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if in := e.tests[t]; in != nil {
		return in, t
	}
	for parent := range e.tests {
		if strings.HasPrefix(t.Name(), parent.Name()+"/") {
			of = parent
		}
	}
	if of == nil {
		return nil, nil
	}
	in = e.tests[of]
	e.add(t, in)
	return in, of
}

// add notes that a test is in until it ends. Call it with the lock held.
func (e *entrances) add(t TB, in *pass) {
	in.tests++
	e.tests[t] = in
	e.changed = time.Now()
	t.Cleanup(func() {
		e.mu.Lock()
		delete(e.tests, t)
		e.changed = time.Now()
		in.tests--
		last := in.tests == 0
		e.mu.Unlock()
		if last {
			in.leave()
		}
	})
}

// enter waits for a way in, for a test that is in by none yet.
func (e *entrances) enter(t TB, through func(context.Context, string) (func(), error), alone bool) {
	t.Helper()
	slow := time.AfterFunc(5*time.Second, func() {
		t.Logf("%s", e.waits(alone))
	})
	defer slow.Stop()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	if alone {
		e.count(1)
		defer e.count(-1)
		go e.watch(ctx, cancel)
	}
	leave, err := through(ctx, t.Name())
	if err != nil {
		t.Fatalf("pgcell: %v", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.add(t, &pass{alone: alone, leave: leave})
}

// waits says what a test has waited for.
func (e *entrances) waits(alone bool) string {
	why := "a test that called pgcell.Serial"
	if alone {
		why = "the tests that run, since this one called pgcell.Serial"
	}
	who := "they have left no word of who they are"
	if all := e.gate.Holders(); len(all) > 0 {
		var names []string
		for _, h := range all {
			names = append(names, h.String())
		}
		who = "there are " + strings.Join(names, "; ")
	}
	return fmt.Sprintf("pgcell: still waiting, in %s, for %s: %s", e.gate.Scope, why, who)
}

// watch ends a wait in Serial if no test of the process can end.
func (e *entrances) watch(ctx context.Context, end context.CancelCauseFunc) {
	turns := parallel()
	for !e.stuck(turns) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
	end(fmt.Errorf("every turn of go test -parallel=%d is with a test that waits in pgcell.Serial, and %v wait for the turn of "+
		"a subtest; raise -parallel, or take no cell in a test with parallel subtests", turns, e.running()))
}

// count adds to the number of tests that wait in Serial.
func (e *entrances) count(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting += n
	e.changed = time.Now()
}

// stuck reports whether tests in Serial have had so many turns for long, while others are in.
func (e *entrances) stuck(turns int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return turns > 0 && e.waiting >= turns && len(e.tests) > 0 && time.Since(e.changed) > stuck
}

// running lists the tests of this process that are in.
func (e *entrances) running() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []string
	for t := range e.tests {
		all = append(all, t.Name())
	}
	return all
}
