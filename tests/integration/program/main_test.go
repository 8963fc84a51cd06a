// Package program_test proves that a cell can be had without a test: by TestMain, by an example, and by a program that
// is no test, which leaves nothing when it is killed.
package program_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// programVariable has this binary be a program that is no test; it names what the program does.
const programVariable = "PROGRAM_SUITE_CHILD"

// common is the cell that TestMain gives to all tests.
var common *pgcell.Cell

func TestMain(m *testing.M) {
	if how := os.Getenv(programVariable); how != "" && how != "main fails" {
		if err := program(how); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		return
	}
	pgcell.Main(m, func(c *pgcell.Cell) error {
		if os.Getenv(programVariable) != "" {
			return errors.New("no seeds")
		}
		common = c
		_, err := c.Pool().Exec(context.Background(), `CREATE TABLE seeds (n int); INSERT INTO seeds VALUES (1), (2)`)
		return err
	})
}

// program uses a cell, says which, and goes on until its standard input ends.
func program(how string) error {
	ctx := context.Background()
	cell, err := pgcell.Open(ctx)
	if err != nil {
		return err
	}
	if _, err := cell.Pool().Exec(ctx, `CREATE TABLE t (id int)`); err != nil {
		return err
	}
	fmt.Println("CELL", cell.Name(), cell.Config().Host)
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	if how == "close" {
		return cell.Close()
	}
	return nil
}

// Every test sees what the setup of Main has made, and has a cell of its own beside it.
func TestMainsCell(t *testing.T) {
	t.Parallel()
	check.Value(t, common.Pool(), 2, `SELECT count(*) FROM seeds`)
	own := pgcell.New(t)
	check.Value(t, own.Pool(), true, `SELECT to_regclass('seeds') IS NULL`)
	if own.Name() == common.Name() {
		t.Errorf("cell of a test: got %s, which is the package's", own.Name())
	}
	if err := own.Close(); err != nil {
		t.Errorf("Close of a test's cell: got error %v, want none", err)
	}
	check.Value(t, own.Pool(), 1, `SELECT 1`)
}

// A serial test does not wait for the cell of TestMain.
func TestSerialBesideMain(t *testing.T) {
	pgcell.Serial(t)
	check.Value(t, common.Pool(), 2, `SELECT count(*) FROM seeds`)
}

// An example has no test at hand.
func ExampleOpen() {
	ctx := context.Background()
	cell, err := pgcell.Open(ctx)
	if err != nil {
		panic(err)
	}
	defer cell.Close()
	var sum int
	if err := cell.Pool().QueryRow(ctx, "SELECT 1 + 2").Scan(&sum); err != nil {
		panic(err)
	}
	fmt.Println(sum)
	// Output: 3
}
