package isolation_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// Tx gives a transaction that is rolled back with its test: the next test does not find its table.
func TestTxRollsBack(t *testing.T) {
	t.Parallel()
	const look = `SELECT to_regclass('tx_rolls_back') IS NULL`
	for _, name := range []string{"first", "second", "third"} {
		t.Run(name, func(t *testing.T) {
			tx := pgcell.Tx(t)
			check.Value(t, tx, true, look)
			check.Exec(t, tx, `CREATE TABLE tx_rolls_back (id int); INSERT INTO tx_rolls_back VALUES (1)`)
			check.Value(t, tx, false, look)
		})
	}
}

// Two tests hold their transactions open at the same time, and neither sees the other's rows in the table that
// both know.
func TestTxDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	first := pgcell.Tx(t, shop)
	t.Run("beside", func(t *testing.T) {
		second := pgcell.Tx(t, shop)
		check.Exec(t, first, `INSERT INTO users (name) VALUES ('ann')`)
		check.Exec(t, second, `INSERT INTO users (name) VALUES ('bob'), ('cy')`)
		check.Values(t, first, []string{"root", "ann"}, `SELECT name FROM users ORDER BY id`)
		check.Values(t, second, []string{"root", "bob", "cy"}, `SELECT name FROM users ORDER BY id`)
	})
}

// A transaction that ends in an error is of no harm to later ones.
func TestTxSurvivesErrors(t *testing.T) {
	t.Parallel()
	t.Run("failing statement", func(t *testing.T) {
		tx := pgcell.Tx(t)
		check.Fails(t, tx, "22012", `SELECT 1 / 0`)
		check.Fails(t, tx, "25P02", `SELECT 1`)
	})
	t.Run("after it", func(t *testing.T) {
		check.Value(t, pgcell.Tx(t), 1, `SELECT 1`)
	})
}

// Code that begins a transaction of its own gets a savepoint: it may commit or roll back within the test's.
func TestTxNests(t *testing.T) {
	t.Parallel()
	tx := pgcell.Tx(t, shop)
	failed := errors.New("out of stock")
	add := func(name string, result error) error {
		return pgx.BeginFunc(t.Context(), tx, func(inner pgx.Tx) error {
			check.Exec(t, inner, `INSERT INTO users (name) VALUES ($1)`, name)
			return result
		})
	}
	if err := add("kept", nil); err != nil {
		t.Errorf("inner transaction: got error %v, want none", err)
	}
	if err := add("undone", failed); !errors.Is(err, failed) {
		t.Errorf("inner transaction: got error %v, want %v", err, failed)
	}
	check.Values(t, tx, []string{"root", "kept"}, `SELECT name FROM users ORDER BY id`)
}

// Settings of the session that Tx changed with SET LOCAL, and its temporary tables, are gone for the next test.
func TestTxLeavesNoSessionState(t *testing.T) {
	t.Parallel()
	for range 3 {
		t.Run("again", func(t *testing.T) {
			tx := pgcell.Tx(t)
			check.Value(t, tx, true, `SELECT current_setting('search_path') <> 'tx_leaves_nothing'`)
			check.Exec(t, tx, `SET LOCAL search_path = tx_leaves_nothing; CREATE TEMP TABLE scratch (id int)`)
		})
	}
}
