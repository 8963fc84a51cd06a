// Package subtests has subtests, of which some are skipped, and output.
package subtests

import (
	"fmt"
	"testing"

	"example.com/shop/internal/testdb"
)

func TestPrices(t *testing.T) {
	db := testdb.Open(t)
	for name, price := range map[string]int{"cheap": 1, "dear": 100, "free": 0} {
		t.Run(name, func(t *testing.T) {
			if price == 0 {
				t.Skip("nothing is free")
			}
			testdb.Exec(t, db, "INSERT INTO item (name, price) VALUES ($1, $2)", name, price)
			t.Run("again", func(t *testing.T) {
				fmt.Println("the price of", name)
				testdb.Wait()
				testdb.EnsureInt(t, db, price, "SELECT price FROM item WHERE name = $1", name)
			})
		})
	}
}

func TestSkipped(t *testing.T) { t.Skip("not yet") }
