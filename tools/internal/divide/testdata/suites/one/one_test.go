// Package one has one test.
package one

import "testing"

func TestAlone(t *testing.T) {}
