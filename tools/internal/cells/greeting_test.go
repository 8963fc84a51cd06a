package cells

import (
	"net"
	"testing"
	"time"
)

// TestGreetingIsReadBeforeItIsWrittenTo has a reader come first, as pgx does where its own write takes 15 ms.
func TestGreetingIsReadBeforeItIsWrittenTo(t *testing.T) {
	t.Parallel()
	g := newGreeting(nil)
	type read struct {
		n   int
		err error
	}
	got := make(chan read)
	go func() {
		n, err := g.Read(make([]byte, 1024))
		got <- read{n, err}
	}()
	select {
	case r := <-got:
		t.Fatalf("Read before Write = %d, %v, want it to wait", r.n, r.err)
	case <-time.After(20 * time.Millisecond):
	}
	if _, err := g.Write([]byte("startup")); err != nil {
		t.Fatal(err)
	}
	if r := <-got; r.n != len(welcome()) || r.err != nil {
		t.Errorf("Read = %d bytes, %v, want the %d of a welcome", r.n, r.err, len(welcome()))
	}
}

// TestClosedGreeting has a reader wait for a connection that is given up.
func TestClosedGreeting(t *testing.T) {
	t.Parallel()
	g := newGreeting(nil)
	got := make(chan error)
	go func() {
		_, err := g.Read(make([]byte, 1))
		got <- err
	}()
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != net.ErrClosed {
		t.Errorf("Read after Close: %v, want %v", err, net.ErrClosed)
	}
}
