// Package ports has tests that listen on a fixed port.
package ports

import (
	"net"
	"os"
	"testing"
	"time"
)

func listen(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", os.Getenv("PORTS"))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	_ = l.Close()
}

func TestOne(t *testing.T) { listen(t) }
func TestTwo(t *testing.T) { listen(t) }
