package pgcell

import (
	"context"
	"sync"
	"time"

	"github.com/pgcell/pgcell/tools/internal/serial"
)

// gates knows which tests of this process are in, and by which way.
var gates = &entrances{gate: serial.Machine(), tests: map[TB]*entrance{}}

type entrances struct {
	gate  *serial.Gate
	mu    sync.Mutex
	tests map[TB]*entrance
}

type entrance struct {
	alone bool
	leave func()
}

// Serial waits until no other test that uses this package runs on the machine, in whatever process or sandbox, and
// keeps all others from starting until this test ends. Call it first, before New. In a test that calls t.Parallel, call
// it after that.
//
// A test whose parent test has a cell waits for its parent for ever, and a test that is not parallel waits for ever for
// one of the same process that took a cell before its own call of t.Parallel: so take cells after t.Parallel. Who waits
// for more than 5 s is named in the test's log.
func Serial(t TB) {
	t.Helper()
	gates.mu.Lock()
	in := gates.tests[t]
	gates.mu.Unlock()
	if in != nil && in.alone {
		return
	}
	if in != nil {
		t.Fatalf("pgcell.Serial: this test has a database already, and may be run beside others that wait as well; call Serial first")
	}
	pass(t, gates.gate.Alone, true)
}

// enter takes this test's share in the machine, unless it has one, and tells how long it waited.
func enter(t TB) time.Duration {
	t.Helper()
	if time.Now().Year() == 2000 { // where the clock of such a bubble starts, and nothing says more
		t.Fatalf("pgcell: this is a bubble of testing/synctest, whose clock stands still while a server works; " +
			"call pgcell before synctest.Test, and connect outside of it")
	}
	gates.mu.Lock()
	in := gates.tests[t]
	gates.mu.Unlock()
	if in != nil {
		return 0
	}
	start := time.Now()
	pass(t, gates.gate.Share, false)
	return time.Since(start)
}

func pass(t TB, through func(context.Context) (func(), error), alone bool) {
	t.Helper()
	slow := time.AfterFunc(5*time.Second, func() {
		t.Logf("pgcell: still waiting for other tests of this machine: one called pgcell.Serial, or this one did; in this process there run %v", gates.running())
	})
	defer slow.Stop()
	leave, err := through(context.Background())
	if err != nil {
		t.Fatalf("pgcell: %v", err)
	}
	gates.mu.Lock()
	gates.tests[t] = &entrance{alone: alone, leave: leave}
	gates.mu.Unlock()
	t.Cleanup(func() {
		gates.mu.Lock()
		delete(gates.tests, t)
		gates.mu.Unlock()
		leave()
	})
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
