package netns

import (
	"io"
	"net"
	"sync"
	"time"
)

// dialPatience is how long a forwarded connection waits for the host's server to accept it.
const dialPatience = 30 * time.Second

// forward serves a listener inside by connections to an address outside, until the listener is closed.
func forward(inside net.Listener, to Address) {
	for {
		conn, err := inside.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			outside, err := net.DialTimeout("tcp", to.String(), dialPatience)
			if err != nil {
				refuse(conn)
				return
			}
			defer outside.Close()
			relay(conn, outside)
		}()
	}
}

// refuse ends a connection as a port without a server would, as near as can be: by a reset.
func refuse(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
}

// relay copies both ways until both have ended; the end of one way is passed on while the other goes on.
func relay(a, b net.Conn) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			_, err := io.Copy(way[1], way[0])
			if half, ok := way[1].(*net.TCPConn); ok && err == nil {
				half.CloseWrite()
				return
			}
			a.Close() // what is broken one way is of no use the other way
			b.Close()
		})
	}
	both.Wait()
}
