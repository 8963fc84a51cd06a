// Package libpq uses database/sql with lib/pq.
package libpq

import (
	"testing"

	"example.com/shop/internal/testdb"
)

func TestIDsBeginAnew(t *testing.T) {
	db := testdb.Open(t)
	for id := 1; id <= 3; id++ {
		testdb.EnsureInt(t, db, id, "INSERT INTO item (name) VALUES ('item ' || $1::int) RETURNING id", id)
		testdb.Wait()
	}
	testdb.EnsureInt(t, db, 3, "SELECT count(*) FROM item")
}

func TestUnique(t *testing.T) {
	db := testdb.Open(t)
	testdb.Exec(t, db, "INSERT INTO item (name) VALUES ('a')")
	if _, err := db.Exec("INSERT INTO item (name) VALUES ('a')"); err == nil {
		t.Error("a name can be taken twice")
	}
	testdb.EnsureInt(t, db, 1, "SELECT count(*) FROM item")
}
