package calls

// Twice is covered by tests of another package alone.
func Twice(n int) int {
	if n == 0 {
		return 0
	}
	return 2 * n
}
