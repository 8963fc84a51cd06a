// Package kinds has tests of all kinds that go test runs, and ways to end, which variables choose.
package kinds

// Double is what is measured for coverage.
func Double(n int) int {
	if n < 0 {
		return -Double(-n)
	}
	return n + n
}
