// Package orders_test is a suite of two shards, on a template of its own.
package orders_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/pgcell"
)

func TestOrder(t *testing.T) { order(t, 10) }

func TestLargeOrder(t *testing.T) { order(t, 1000) }

func order(t *testing.T, amount int) {
	t.Helper()
	db := pgcell.New(t).DB()
	if _, err := db.Exec("INSERT INTO orders (amount) VALUES ($1)", amount); err != nil {
		t.Fatal(err)
	}
	var got int
	if err := db.QueryRow("SELECT sum(amount)::int FROM orders").Scan(&got); err != nil {
		t.Fatal(err)
	}
	if got != amount {
		t.Errorf("orders of %d, want %d", got, amount)
	}
}
