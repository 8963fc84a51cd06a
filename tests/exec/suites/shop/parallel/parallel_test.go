// Package parallel has tests that run at once, each with rows of its own.
package parallel

import (
	"testing"

	"example.com/shop/internal/testdb"
)

func TestMany(t *testing.T) {
	db := testdb.Open(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testdb.Exec(t, db, "INSERT INTO item (name) VALUES ($1)", name)
			testdb.Wait()
			testdb.EnsureInt(t, db, 1, "SELECT count(*) FROM item WHERE name = $1", name)
		})
	}
}
