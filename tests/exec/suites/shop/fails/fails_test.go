// Package fails has a test and a subtest that fail if SHOP_FAIL is set.
package fails

import (
	"os"
	"testing"

	"example.com/shop/internal/testdb"
)

func TestRight(t *testing.T) { insert(t, 1) }

func TestWrong(t *testing.T) {
	want := 1
	if os.Getenv("SHOP_FAIL") != "" {
		want = 2
	}
	t.Run("one", func(t *testing.T) { insert(t, want) })
	t.Run("other", func(t *testing.T) { insert(t, 1) })
}

func insert(t *testing.T, want int) {
	t.Helper()
	db := testdb.Open(t)
	testdb.Exec(t, db, "INSERT INTO item (name) VALUES ('a')")
	testdb.Wait()
	testdb.EnsureInt(t, db, want, "SELECT count(*) FROM item")
}
