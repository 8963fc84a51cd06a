package pgcell

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// Open gives a cell where there is no test: in TestMain, in an Example, or in another program. The cell is like one of
// [New]. TEST_DB_NAME names it until a test gets a cell. Close gives it back. Without Close it ends with the process,
// however the process ends. Open may be called more than once, and concurrently.
//
// A test that calls [Serial] does not wait for such a cell, and Open waits for no test. Methods that would fail a test
// panic here. Cost: as New.
//
// Errors: ctx's, which does not bound the start of the server; else as New, what is wrong with the configuration, the
// template or the server.
func Open(ctx context.Context, config ...Config) (*Cell, error) {
	c := one(program{}, "pgcell.Open", config)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("pgcell.Open: %w", err)
	}
	r := record{Test: caller("pgcell.Open"), Worker: Worker(), Start: time.Now()}
	// All who ask for the server get the error that the first got; so this one's ctx must not be in it.
	starting, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	server, err := process.server(starting, c)
	if err != nil {
		return nil, fmt.Errorf("pgcell.Open: %w", err)
	}
	r.ServerSeconds = time.Since(r.Start).Seconds()
	lease, err := server.take(ctx, cells.Request{
		Test: "pgcell.Open", Empty: c.Empty, New: c.Recycle == RecycleNever, Shared: true,
	})
	if err != nil {
		return nil, fmt.Errorf("pgcell.Open: %w", err)
	}
	r.CellSeconds, r.WaitSeconds = (time.Since(r.Start) - lease.Waited()).Seconds(), lease.Waited().Seconds()
	r.Cell, r.Made = lease.Name(), lease.Made()
	r.write(program{})
	suffix := strings.TrimPrefix(lease.Name(), databasePrefix)
	cell := &Cell{t: program{}, lease: lease, table: "test_table_" + suffix}
	cell.open(c)
	forget := publish(suffix, lease.Name(), cell.table)
	cell.giveBack = sync.OnceValue(func() error {
		forget()
		if c.Private {
			lease.Keep()
			return server.Close()
		}
		return lease.Return()
	})
	return cell, nil
}

// Close gives a cell of [Open] back: it closes the cell's pools and ends all connections to it. Further calls do nothing.
// Close does nothing to a cell of [New], which is given back when its test ends.
//
// Errors: under PGCELL_RECYCLE=verify, what differs from a new clone.
func (c *Cell) Close() error {
	if c.giveBack == nil {
		return nil
	}
	return c.giveBack()
}

// Main runs a package's tests with a cell that they share. Tests can get cells of their own by [New] as well. TestMain
// needs to call nothing else:
//
//	var shop *pgcell.Cell
//
//	func TestMain(m *testing.M) {
//		pgcell.Main(m, func(c *pgcell.Cell) error {
//			shop = c
//			return load(c.Pool())
//		})
//	}
//
// setup gets the cell before the first test. If setup returns an error, or no cell can be had, the program prints the
// error and exits with status 1. If the tests are only listed, no server is started.
func Main(m *testing.M, setup func(*Cell) error, config ...Config) {
	if !flag.Parsed() {
		flag.Parse()
	}
	if list := flag.Lookup("test.list"); list != nil && list.Value.String() != "" {
		m.Run()
		return
	}
	cell, err := Open(context.Background(), config...)
	if err == nil {
		err = setup(cell)
	}
	if err == nil && m.Run() == 0 {
		err = cell.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pgcell.Main:", strings.TrimPrefix(err.Error(), "pgcell.Open: "))
		os.Exit(1)
	}
}

// program stands in for a test where there is none.
type program struct{}

func (program) Helper()                         {}
func (program) Name() string                    { return "pgcell.Open" }
func (program) Cleanup(func())                  {}
func (program) Failed() bool                    { return false }
func (program) Logf(format string, args ...any) { warn(fmt.Sprintf(format, args...)) }

// Fatalf panics, since nobody is there to fail.
func (program) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
