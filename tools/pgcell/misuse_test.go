package pgcell_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/pgcell/pgcell/tools/pgcell"
)

// FuzzPool uses a cell of the fuzz test's in its target, where nothing may be asked of a testing.F.
func FuzzPool(f *testing.F) {
	cell := pgcell.New(f, shop)
	f.Add("a")
	f.Add("b")
	f.Fuzz(func(t *testing.T, name string) {
		if !strings.ContainsRune(name, 0) {
			mustScan[string](t, cell, "SELECT $1 || current_database()", strings.ToValidUTF8(name, ""))
		}
		if err := cell.DB().PingContext(t.Context()); err != nil {
			t.Error(err)
		}
		if got := cell.Config().Database; got != cell.Name() {
			t.Errorf("Config() is of %s", got)
		}
	})
}

// TestFailingMigrationRunsOnce has tests ask for a template that cannot be made.
func TestFailingMigrationRunsOnce(t *testing.T) {
	t.Parallel()
	var runs atomic.Int64
	config := pgcell.Config{MigrateKey: "fails", Migrate: func(context.Context, string) error {
		runs.Add(1)
		return errors.New("no such thing")
	}}
	for range 3 {
		ensureFatal(t, func(f *fakeTB) { pgcell.New(f, config) }, "pgcell.New: ", "no such thing")
	}
	if n := runs.Load(); n != 1 {
		t.Errorf("it ran %d times for 3 tests, want once", n)
	}
}

func TestNewInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ensureFatal(t, func(f *fakeTB) { pgcell.New(f) }, "this is a bubble of testing/synctest", "call pgcell before synctest.Test")
	})
}

// TestOddValue sets variables to what means nothing.
func TestOddValue(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCacheChild$")
	cmd.Env = append(os.Environ(), "PGCELL_TEST_CACHE_CHILD=cell", "PGCELL_LOG=yes", "PGCELL_TEMPLATE=")
	out, err := cmd.CombinedOutput()
	const want = `pgcell: PGCELL_LOG is "yes", which means nothing; want 1, or leave it out`
	if err != nil || strings.Count(string(out), want) != 1 {
		t.Errorf("%v\n%s\nwant once: %s", err, out, want)
	}
}
