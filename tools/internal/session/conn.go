package session

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"
)

// Codes in the first message of a connection.
const (
	cancelCode    = 80877102
	protocolMajor = 3
)

// phase says what a Conn's next bytes are.
type phase int

const (
	opening    phase = iota // the client has sent nothing yet
	starting                // the start-up is under way
	serving                 // the client has the session
	cancelling              // a cancel request was sent to the server
	refused                 // a cancel request was dropped
	over                    // closed, or the session belongs to the next client
)

// Conn is one client's connection to a session. It is also what a cancel request is sent by, since pgx opens both with
// the same DialFunc. Its methods may be called concurrently.
//
// Once the session has gone to the next client, all methods fail with net.ErrClosed.
type Conn struct {
	session *Session
	keys    *Keys

	mu      sync.Mutex
	phase   phase
	busy    int    // calls of Read and Write under way
	cancels int    // cancel requests of this client's under way
	reply   []byte // the rest of the answer to the start-up message
	partial []byte // the beginning of a message of the start-up
	key     []byte // that the client knows
	target  *Conn  // of a cancel request
	replay  bool   // the answer to the start-up message is there already
	watch   watch
}

// Session is what the connection leads to.
func (c *Conn) Session() *Session { return c.session }

// enter begins a Read or a Write.
func (c *Conn) enter() (phase, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == over {
		return over, net.ErrClosed
	}
	c.busy++
	return c.phase, nil
}

func (c *Conn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy--
}

func (c *Conn) Read(p []byte) (int, error) {
	now, err := c.enter()
	if err != nil {
		return 0, err
	}
	defer c.leave()
	if now == refused {
		return 0, io.EOF
	}
	for {
		if n := c.readReply(p); n > 0 {
			return n, nil
		}
		n, err := c.session.raw.Read(p)
		if err == io.EOF {
			c.cancelled()
		}
		if n == 0 || err != nil {
			return n, err
		}
		if !c.startUp(p[:n]) {
			return n, nil
		}
	}
}

// readReply reads what is left of the answer to the start-up message.
func (c *Conn) readReply(p []byte) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := copy(p, c.reply)
	if c.reply = c.reply[n:]; len(c.reply) == 0 {
		c.reply = nil
	}
	return n
}

func (c *Conn) Write(p []byte) (int, error) {
	now, err := c.enter()
	if err != nil {
		return 0, err
	}
	defer c.leave()
	if now == opening {
		return c.first(p)
	}
	c.mu.Lock()
	c.watch.write(p)
	c.mu.Unlock()
	return c.session.raw.Write(p)
}

// first writes the first message of a client: a start-up or a cancel request.
func (c *Conn) first(p []byte) (int, error) {
	whole := len(p) >= 8 && int(binary.BigEndian.Uint32(p)) == len(p)
	if whole && binary.BigEndian.Uint32(p[4:]) == cancelCode {
		return c.cancel(p)
	}
	c.mu.Lock()
	if c.phase = starting; c.replay {
		c.phase = serving
	}
	c.mu.Unlock()
	if !whole || binary.BigEndian.Uint16(p[4:]) != protocolMajor || !c.session.noteStartUp(p) {
		c.session.suspect("a start-up that cannot be read")
	}
	if c.replay {
		return len(p), nil
	}
	return c.session.raw.Write(p)
}

// Close ends the session, unless it belongs to another client.
func (c *Conn) Close() error {
	c.mu.Lock()
	if c.phase == over {
		c.mu.Unlock()
		return net.ErrClosed
	}
	c.phase = over
	target := c.target
	c.target = nil
	c.mu.Unlock()
	if target != nil {
		target.endCancel(false)
	}
	c.keys.forget(c)
	return c.session.closeSocket()
}

// revoke takes the session from its client. It fails if the client may still read or write, or cancel.
func (c *Conn) revoke() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != serving || c.busy > 0 || c.cancels > 0 || len(c.reply) > 0 {
		return false
	}
	c.phase = over
	c.keys.forget(c)
	c.session.suspect(c.watch.doubt)
	c.session.changed = c.session.changed || c.watch.ddl
	return c.session.raw.SetDeadline(time.Time{}) == nil
}

func (c *Conn) LocalAddr() net.Addr  { return c.session.raw.LocalAddr() }
func (c *Conn) RemoteAddr() net.Addr { return c.session.raw.RemoteAddr() }

func (c *Conn) SetDeadline(t time.Time) error { return c.setDeadline(c.session.raw.SetDeadline, t) }

func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.setDeadline(c.session.raw.SetReadDeadline, t)
}

func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.setDeadline(c.session.raw.SetWriteDeadline, t)
}

// setDeadline holds the lock meanwhile: the next client must not get a deadline of this one's.
func (c *Conn) setDeadline(set func(time.Time) error, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == over {
		return net.ErrClosed
	}
	return set(t)
}
