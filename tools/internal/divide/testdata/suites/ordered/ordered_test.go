// Package ordered has tests that depend on each other.
package ordered

import (
	"os"
	"testing"
)

var made = map[string]bool{}

func need(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if !made[name] {
			t.Error("want", name)
		}
	}
}

func TestA(t *testing.T)        { made["a"] = true }
func TestB(t *testing.T)        { made["b"] = true }
func TestC(t *testing.T)        {}
func TestNeedsA(t *testing.T)   { need(t, "a") }
func TestD(t *testing.T)        { made["d"] = true }
func TestNeedsABD(t *testing.T) { need(t, "a", "b", "d") }
func TestFails(t *testing.T)    { need(t, "nothing") }

func TestDislikesD(t *testing.T) {
	if made["d"] && os.Getenv("ORDERED") == "" {
		t.Error("d is there")
	}
}
