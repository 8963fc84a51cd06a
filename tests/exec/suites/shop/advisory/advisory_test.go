// Package advisory takes a lock that the whole database has once.
package advisory

import (
	"testing"

	"example.com/shop/internal/testdb"
)

func TestLock(t *testing.T) {
	db := testdb.Open(t)
	db.SetMaxOpenConns(1)
	for range 3 {
		testdb.EnsureInt(t, db, 1, "SELECT pg_try_advisory_lock(7)::int")
		testdb.Wait()
		testdb.EnsureInt(t, db, 0, "SELECT count(*) FROM item")
		testdb.EnsureInt(t, db, 1, "SELECT pg_advisory_unlock(7)::int")
	}
}
