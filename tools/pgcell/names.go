package pgcell

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// databasePrefix begins the name of every cell.
const databasePrefix = "test_db_"

// names knows the tests of this process that have cells, and how those are called.
var names = &namer{tests: map[TB]*named{}}

type namer struct {
	mu    sync.Mutex
	tests map[TB]*named
}

type named struct {
	base   string // <worker>_<id>, of its first cell
	n      int    // cells so far
	record record
}

// request says what the test's next cell is to be called: its first has any name, and suffix is then ""; further ones
// are <worker>_<id>_2, _3, ...
func (n *namer) request(t TB) (r cells.Request, suffix string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r.Test = t.Name()
	test := n.tests[t]
	if test == nil {
		r.Holding = n.parentHas(r.Test)
		test = &named{record: record{Test: r.Test, Worker: Worker(), Start: time.Now()}}
		n.tests[t] = test
		t.Cleanup(func() {
			n.mu.Lock()
			delete(n.tests, t)
			n.mu.Unlock()
			test.record.Failed = t.Failed() || panicking()
			test.record.write(t)
		})
	} else {
		r.Holding = true
	}
	test.n++
	if test.n > 1 {
		suffix = fmt.Sprintf("%s_%d", test.base, test.n)
		r.Name = databasePrefix + suffix
	}
	return r, suffix
}

// named notes what the test's first cell is called: <worker>_<id>.
func (n *namer) named(t TB, base string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if test := n.tests[t]; test != nil {
		test.base = base
	}
}

// used notes what a test's cell cost, and how much of that was the server's start.
func (n *namer) used(t TB, l lease, cost, waited, started time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if test := n.tests[t]; test != nil {
		r := &test.record
		r.CellSeconds += cost.Seconds()
		r.WaitSeconds += waited.Seconds()
		r.ServerSeconds += started.Seconds()
		if r.Cell == "" {
			r.Cell, r.Made = l.Name(), l.Made()
		}
	}
}

// keptAs notes where a failed test's first cell can be found.
func (n *namer) keptAs(t TB, url, dump string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if test := n.tests[t]; test != nil && test.record.Kept == "" {
		test.record.Kept, test.record.Dump = url, dump
	}
}

// parentHas reports whether a test that waits for the named one has a cell. Call it with the lock held.
func (n *namer) parentHas(name string) bool {
	for t := range n.tests {
		if strings.HasPrefix(name, t.Name()+"/") {
			return true
		}
	}
	return false
}

// newName is a cell's name that nobody has had: test_db_<worker>_<id>.
func newName() string { return databasePrefix + Worker() + "_" + newID() }

// newID is 8 random hex digits.
func newID() string {
	var id [4]byte
	rand.Read(id[:]) // never fails, since Go 1.24
	return hex.EncodeToString(id[:])
}
