// Package kinds has tests of all kinds that go test runs.
package kinds

// Sum adds prices.
func Sum(prices ...int) (sum int) {
	for _, p := range prices {
		sum += p
	}
	return sum
}

// Free reports whether all prices are 0.
func Free(prices ...int) bool { return Sum(prices...) == 0 }
