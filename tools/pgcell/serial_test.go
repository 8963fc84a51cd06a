package pgcell_test

import (
	"sync/atomic"
	"testing"

	"github.com/pgcell/pgcell/tools/pgcell"
)

func TestSerialIsAlone(t *testing.T) {
	t.Parallel()
	var inside, alone atomic.Int32
	for range 6 {
		t.Run("shared", func(t *testing.T) {
			t.Parallel()
			pgcell.New(t)
			inside.Add(1)
			defer inside.Add(-1)
			if alone.Load() != 0 {
				t.Error("runs beside a serial test")
			}
		})
		t.Run("serial", func(t *testing.T) {
			t.Parallel()
			pgcell.Serial(t)
			pgcell.Serial(t) // a second call changes nothing
			pgcell.New(t)
			if n := alone.Add(1); n != 1 || inside.Load() != 0 {
				t.Errorf("%d serial tests and %d others at once, want this one alone", n, inside.Load())
			}
			defer alone.Add(-1)
		})
	}
}

func TestSerialAfterNew(t *testing.T) {
	t.Parallel()
	ensureFatal(t, func(f *fakeTB) {
		pgcell.New(f)
		pgcell.Serial(f)
	}, "pgcell.Serial: this test has a database already", "call Serial first")
}
