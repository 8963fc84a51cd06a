// Package dies has a test that ends the process in the way that the variable DIES says.
package dies

import (
	"os"
	"syscall"
	"testing"
	"time"
)

func TestBefore(t *testing.T) {}

func TestDies(t *testing.T) {
	switch os.Getenv("DIES") {
	case "panic":
		panic("oh")
	case "goroutine":
		go panic("oh")
		time.Sleep(time.Minute)
	case "exit0":
		os.Exit(0)
	case "exit1":
		os.Exit(1)
	case "exit3":
		os.Exit(3)
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		time.Sleep(time.Minute)
	case "hang":
		time.Sleep(time.Minute)
	case "fail":
		t.Fatal("oh")
	}
}

func TestAfter(t *testing.T) {}

func TestLast(t *testing.T) {}
