package session

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"sync"
)

// Keys knows which client has which session, for cancel requests. The zero value is ready to use. Its methods may be
// called concurrently.
type Keys struct {
	mu      sync.Mutex
	clients map[uint32]*Conn // by process id
}

// invent gives a client of the process pid a key, as long as the server's.
func (k *Keys) invent(c *Conn, pid uint32, secret []byte) []byte {
	key := make([]byte, len(secret))
	for {
		rand.Read(key) // never fails
		if !bytes.Equal(key, secret) || len(key) == 0 {
			break
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.clients == nil {
		k.clients = map[uint32]*Conn{}
	}
	k.clients[pid] = c
	return key
}

// forget has cancel requests of a client reach nobody.
func (k *Keys) forget(c *Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.clients[c.session.pid] == c {
		k.clients[c.session.pid] = nil // keep the entry: the process is one of ours
	}
}

// gone forgets a process that has ended.
func (k *Keys) gone(pid uint32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.clients, pid)
}

// find gives the client that a process serves; ours is false for a process that serves none of ours.
func (k *Keys) find(pid uint32) (c *Conn, ours bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, ours = k.clients[pid]
	return c, ours
}

// cancel passes a cancel request on with the server's key if it is from the client that has the session now. Others are
// dropped, as the server drops those with a wrong key.
func (c *Conn) cancel(p []byte) (int, error) {
	pid, request := binary.BigEndian.Uint32(p[8:]), p
	target, ours := c.keys.find(pid)
	if ours {
		secret := target.beginCancel(p[12:])
		if secret == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.phase = refused
			return len(p), nil
		}
		request = append(bytes.Clone(p[:12]), secret...)
	}
	c.mu.Lock()
	c.phase = cancelling
	if ours {
		c.target = target
	}
	c.mu.Unlock()
	if n, err := c.session.raw.Write(request); err != nil {
		return n, err
	}
	return len(p), nil
}

// beginCancel gives the server's key for a cancel request with the client's; nil if the client has another.
func (c *Conn) beginCancel(key []byte) (secret []byte) {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != serving || !bytes.Equal(c.key, key) {
		return nil
	}
	c.cancels++
	return c.session.secret
}

// cancelled notes that the server has dealt with a cancel request: it closes the connection after it has sent the
// signal.
func (c *Conn) cancelled() {
	c.mu.Lock()
	target := c.target
	c.target = nil
	c.mu.Unlock()
	if target != nil {
		target.endCancel(true)
	}
}

// endCancel notes the end of a cancel request. If nobody waited for the server to deal with it, it may arrive at any
// time.
func (c *Conn) endCancel(done bool) {
	c.mu.Lock()
	c.cancels--
	c.mu.Unlock()
	if !done {
		c.session.suspect("a cancel request that nobody waited for")
	}
}
