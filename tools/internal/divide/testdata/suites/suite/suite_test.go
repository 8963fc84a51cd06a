// Package suite has tests whose real tests lie below them.
package suite

import (
	"os"
	"testing"
	"time"
)

func TestSuite(t *testing.T) {
	t.Log("the suite is set up")
	for _, name := range []string{"TestA", "TestB", "TestC", "TestD/deeper", "Test with space"} {
		t.Run(name, func(t *testing.T) {
			time.Sleep(20 * time.Millisecond)
			if name == os.Getenv("SUITE_FAILS") {
				t.Error("an error")
			}
		})
	}
	if os.Getenv("SUITE_NEW") != "" {
		t.Run("TestNew", func(t *testing.T) {})
	}
}

func TestTable(t *testing.T) {
	for _, name := range []string{"one", "two", "one"} {
		t.Run(name, func(t *testing.T) { t.Parallel() })
	}
}

func TestPlain(t *testing.T) {}
