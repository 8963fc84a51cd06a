// Package serial_test is a suite that must not run beside others: its target is serial_only, so Bazel runs it in
// one process, with nothing beside it. Within that process, and across processes, pgcell.Serial gives a single
// test the machine for itself; the tests here prove it by looking at who else was running, and at the times at
// which tests began and ended.
//
// Tests under serial_only need no t.Parallel: what they measure or change is not a database's, but the process's
// or the machine's.
package serial_test

import (
	"flag"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// inside counts the tests of this process that hold a cell, or are alone.
var inside atomic.Int32

// enter counts a test in until it ends, and returns how many are in then, itself included.
//
// It must be called after pgcell.New or pgcell.Serial, so that its cleanup comes before theirs.
func enter(t *testing.T) int32 {
	t.Helper()
	t.Cleanup(func() { inside.Add(-1) })
	return inside.Add(1)
}

// The macro makes a serial_only target one shard, so that no second process of the suite runs beside this one.
func TestOneShard(t *testing.T) {
	if total := os.Getenv("TEST_TOTAL_SHARDS"); total != "" && total != "0" && total != "1" {
		t.Errorf("TEST_TOTAL_SHARDS of a serial_only suite: got %s, want none or 1", total)
	}
	if got := pgcell.Worker(); got != "master" && got != "w0" {
		t.Errorf("worker of a serial_only suite: got %s, want master or w0", got)
	}
}

// What belongs to the process can be changed in a serial suite: here its working directory, seen by a migration
// tool as by any code.
func TestChangeOfProcessState(t *testing.T) {
	cell := pgcell.New(t)
	check.Equal(t, "tests inside", enter(t), 1)
	dir := t.TempDir()
	t.Chdir(dir) // panics in a parallel test
	t.Setenv("PGDATABASE", cell.Name())
	got, err := os.Getwd()
	if err != nil {
		t.Fatalf("working directory: got error %v, want none", err)
	}
	check.Equal(t, "working directory", got, dir)
	check.Value(t, cell.Pool(), os.Getenv("PGDATABASE"), `SELECT current_database()::text`)
}

// Tests that are not parallel come one after the other: no two are inside at once.
func TestNotParallelIsAlone(t *testing.T) {
	for range 3 {
		t.Run("part", func(t *testing.T) {
			pgcell.New(t)
			check.Equal(t, "tests inside", enter(t), 1)
		})
	}
}

// Of parallel tests, those that call Serial run alone, one after the other, while the others may overlap. The lock
// is the proof: a serial test takes it without waiting, though every test holds it while it runs.
func TestSerialAmongParallelTests(t *testing.T) {
	var room sync.RWMutex
	ordinary := func(t *testing.T) {
		t.Parallel()
		cell := pgcell.New(t)
		enter(t)
		if !room.TryRLock() {
			t.Fatal("an ordinary test beside a serial one: got in, want it to wait")
		}
		defer room.RUnlock()
		check.Exec(t, cell.Pool(), `CREATE TABLE users (id int); SELECT pg_sleep(0.01)`)
	}
	serial := func(t *testing.T) {
		t.Parallel()
		pgcell.Serial(t)
		check.Equal(t, "tests inside beside a serial one", enter(t), 1)
		if !room.TryLock() {
			t.Fatal("a serial test beside another: got in, want it to wait")
		}
		defer room.Unlock()
		check.Exec(t, pgcell.New(t).Pool(), `CREATE TABLE users (id int)`)
		for range 20 { // long enough that a test which did not wait would be seen
			time.Sleep(time.Millisecond)
			check.Equal(t, "tests inside meanwhile", inside.Load(), 1)
		}
	}
	for i := range 9 {
		if i%3 == 1 {
			t.Run("serial", serial)
		} else {
			t.Run("ordinary", ordinary)
		}
	}
}

// Serial gives the machine back with the end of its test: what comes after may overlap again. Two tests meet here,
// each waiting for the other to be inside.
func TestOverlapAgainAfterSerial(t *testing.T) {
	if parallel := flag.Lookup("test.parallel").Value.String(); parallel == "1" {
		t.Skip("two tests cannot meet with -parallel=1")
	}
	t.Run("serial", func(t *testing.T) {
		pgcell.Serial(t)
		check.Equal(t, "tests inside", enter(t), 1)
	})
	met := make(chan struct{})
	for range 2 {
		t.Run("meets", func(t *testing.T) {
			t.Parallel()
			pgcell.New(t)
			if enter(t) == 2 {
				close(met)
			}
			select {
			case <-met:
			case <-time.After(check.Patience):
				t.Error("another test beside this one: got none, want one")
			}
		})
	}
}

// Several calls in one test count as one, and a cell may be had after Serial, a private server too.
func TestSerialThenEverything(t *testing.T) {
	pgcell.Serial(t)
	pgcell.Serial(t)
	check.Value(t, pgcell.New(t).Pool(), 1, `SELECT 1`)
	check.Value(t, pgcell.Tx(t), 1, `SELECT 1`)
	check.Value(t, pgcell.Server(t).Pool(), 1, `SELECT 1`)
	check.Equal(t, "tests inside", enter(t), 1)
}
