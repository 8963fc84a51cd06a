// Package green_test passes.
package green_test

import (
	"testing"
	"time"
)

func TestViewRows(t *testing.T) {
	time.Sleep(300 * time.Millisecond)
	t.Run("first", func(*testing.T) {})
	t.Run("second", func(*testing.T) {})
}

func TestViewNames(*testing.T) {}

func TestSkipped(t *testing.T) { t.Skip("needs a rainy day") }
