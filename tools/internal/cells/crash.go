package cells

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// errUnlogged is why no cell can be had any more.
var errUnlogged = errors.New("the server has crashed and emptied the template's unlogged tables; see its log, and run the tests again")

// fit tells why no cell can be had; nil if they can.
func (c *Cluster) fit() error {
	if err := c.server.Err(); err != nil {
		return err
	}
	if c.crashed.Load() && c.manifest.Facts.Unlogged {
		return errUnlogged
	}
	return nil
}

// checkCrash asks the server whether it has crashed, since connections have broken: that may as well be a time-out, or
// somebody who ended the session. It waits for a server that recovers.
func (c *Cluster) checkCrash(ctx context.Context) {
	for start := time.Now(); time.Since(start) < recovery && c.server.Err() == nil && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		var counted string
		if err := c.admin.QueryRow(ctx, "SELECT coalesce("+countedSince+", '')").Scan(&counted); err == nil {
			c.note(counted)
			return
		}
	}
}

// note compares since when the server counts with what it was at first. A crash sets the counters back; the time at
// which the postmaster started stays.
func (c *Cluster) note(counted string) {
	if !c.counted.CompareAndSwap(nil, &counted) && *c.counted.Load() != counted {
		c.crashed.Store(true)
	}
}

// alive reports whether a ready cell's connections stand.
func (c *cell) alive() bool {
	if c.warden != nil && !open(c.warden.conn.PgConn().Conn()) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range append(c.sessions[:len(c.sessions):len(c.sessions)], c.moved...) {
		if !open(s.tap.Conn) {
			return false
		}
	}
	return true
}

// open reports whether a connection that nothing is expected from is quiet, and the server has not closed it.
func open(conn net.Conn) bool {
	raw, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	rc, err := raw.SyscallConn()
	if err != nil {
		return false
	}
	standing := false
	// Not rc.Read, which waits for a reader.
	err = rc.Control(func(fd uintptr) {
		var b [1]byte
		// A server that ends a session says so first: words that nobody asked for are a bad sign.
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		standing = err == syscall.EAGAIN || err == syscall.EINTR
	})
	return err == nil && standing
}
