// Package covered has statements that some of its tests reach.
package covered

import (
	"fmt"

	"example.com/suites/calls"
)

// Word gives the word of a number.
func Word(n int) string {
	switch n {
	case 1:
		return "one"
	case 2:
		return "two"
	case 3:
		return "three"
	case 4:
		return "four"
	default:
		return fmt.Sprint("twice is ", calls.Twice(n))
	}
}
