// Package peer tells which process of this machine is at the other end of a connection, and which listens at a port.
//
// Goals: the process that runs a test, whatever program it is, from the connection that it makes, in the network
// namespace of this process or in another; no rights but the user's own; nothing cached, so nothing stale. Non-goals:
// connections from other machines or from network namespaces that are joined to this one, as those of containers are.
package peer

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// ErrNotBelow is wrapped by errors of [Of] where the client is no process below the given one, or cannot be seen to be.
var ErrNotBelow = errors.New("not a process below")

// Of gives the id of the process that made the connection which conn is the accepted end of, if it is root or below it:
// its child, its child's child and so on. conn is a TCP connection over IPv4 or IPv6, or that of a Unix socket. If several
// processes hold the client's socket, because a child inherited it, Of gives the one that is nearest to root.
//
// The client of a TCP connection is found in any network namespace that one of these processes is in; for a Unix socket
// it is the process that called connect(2). The error wraps [ErrNotBelow] where no such process is the client, or where
// it has closed the connection. Where a process has ended whose children live on, they are no longer below root, unless
// root is a subreaper (prctl(2), PR_SET_CHILD_SUBREAPER). Of costs 2 ms for TCP, most of which goes into reading the
// kernel's table of connections, and 0.1 ms for Unix sockets. On systems other than Linux the error wraps
// [errors.ErrUnsupported].
func Of(conn net.Conn, root int) (pid int, err error) {
	if pid, err = of(conn, root); err != nil {
		return 0, fmt.Errorf("find the process behind connection %v from %v: %w", conn.LocalAddr(), conn.RemoteAddr(), err)
	}
	return pid, nil
}

// Listener is a TCP address at which a process of this network namespace accepts connections.
type Listener struct {
	Addr    netip.AddrPort
	PID     int    // 0 where it cannot be seen, as with processes of other users
	Program string // the process's name, as in ps(1); "" where PID is 0
}

// Listening lists the TCP addresses at which processes of this network namespace accept connections, by port. It costs
// some 10 ms, as it looks at all processes. On systems other than Linux the error wraps [errors.ErrUnsupported].
func Listening() ([]Listener, error) { return listening() }

// Below gives the ids of root and of all processes below it, those nearer to root first. It is a look at processes that
// start and end meanwhile: what starts while Below looks may be missing. On systems other than Linux the error wraps
// [errors.ErrUnsupported].
func Below(root int) ([]int, error) { return below(root) }
