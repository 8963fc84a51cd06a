// Package panics has a test that panics if SHOP_FAIL is set, or never ends if it is "hang".
package panics

import (
	"os"
	"testing"
	"time"

	"example.com/shop/internal/testdb"
)

func TestBefore(t *testing.T) { count(t) }

func TestPanic(t *testing.T) {
	count(t)
	switch os.Getenv("SHOP_FAIL") {
	case "":
	case "hang":
		time.Sleep(time.Hour)
	default:
		panic("as asked for")
	}
}

func TestZAfter(t *testing.T) { count(t) }

func count(t *testing.T) {
	t.Helper()
	db := testdb.Open(t)
	testdb.Wait()
	testdb.EnsureInt(t, db, 0, "SELECT count(*) FROM item")
}
