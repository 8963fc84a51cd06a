package kinds

import (
	"fmt"
	"testing"

	"example.com/shop/internal/testdb"
)

func TestSum(t *testing.T) {
	db := testdb.Open(t)
	testdb.Exec(t, db, "INSERT INTO item (name, price) VALUES ('a', 2), ('b', 3)")
	testdb.Wait()
	testdb.EnsureInt(t, db, Sum(2, 3), "SELECT sum(price) FROM item")
}

func BenchmarkInsert(b *testing.B) {
	db := testdb.Open(b)
	for i := range b.N {
		testdb.Exec(b, db, "INSERT INTO item (name) VALUES ('item ' || $1::int)", i)
	}
	testdb.EnsureInt(b, db, b.N, "SELECT count(*) FROM item")
}

func FuzzSum(f *testing.F) {
	db := testdb.Open(f)
	f.Add(1, 2)
	f.Fuzz(func(t *testing.T, a, b int) {
		if Sum(a, b) != a+b {
			t.Error("wrong")
		}
		testdb.EnsureInt(t, db, 0, "SELECT count(*) FROM item")
	})
}

func ExampleSum() {
	fmt.Println(Sum(1, 2))
	// Output: 3
}
