// Package waits has tests that wait.
package waits

import (
	"testing"
	"time"
)

func wait(t *testing.T) {
	t.Helper()
	time.Sleep(100 * time.Millisecond)
}

func Test1(t *testing.T) { wait(t) }
func Test2(t *testing.T) { wait(t) }
func Test3(t *testing.T) { wait(t) }
func Test4(t *testing.T) { wait(t) }
func Test5(t *testing.T) { wait(t) }
func Test6(t *testing.T) { wait(t) }
func Test7(t *testing.T) { wait(t) }
func Test8(t *testing.T) { wait(t) }
