// Package mixed_test has a test that must run alone among others that run in parallel, in two shards at once.
package mixed_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/pgcell"
)

func TestAlone(t *testing.T) {
	pgcell.Serial(t)
	note(t)
}

func TestBeside1(t *testing.T) { t.Parallel(); note(t) }
func TestBeside2(t *testing.T) { t.Parallel(); note(t) }
func TestBeside3(t *testing.T) { t.Parallel(); note(t) }
func TestBeside4(t *testing.T) { t.Parallel(); note(t) }

// note tells when the test had its cell.
func note(t *testing.T) {
	t.Helper()
	pgcell.New(t)
	from := time.Now()
	time.Sleep(300 * time.Millisecond)
	fmt.Printf("SPAN %s %d %d\n", t.Name(), from.UnixMicro(), time.Now().UnixMicro())
}
