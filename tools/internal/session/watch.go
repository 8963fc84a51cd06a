package session

import (
	"encoding/binary"
	"strings"
)

// watch follows the messages that a client sends
// (https://www.postgresql.org/docs/current/protocol-message-formats.html) after the start-up.
type watch struct {
	left  int    // bytes of the current message that are still to come
	head  []byte // a message whose length has not come yet
	doubt string // see [Harmless]
	ddl   bool
}

// write looks at bytes that the client sends.
func (w *watch) write(p []byte) {
	if w.left > 0 {
		n := min(w.left, len(p))
		w.left -= n
		p = p[n:]
	}
	if len(w.head) > 0 {
		p = append(w.head, p...)
		w.head = nil
	}
	for len(p) > 0 {
		if len(p) < 5 { // type, length
			w.head = append([]byte(nil), p...)
			return
		}
		size := 1 + max(4, int(binary.BigEndian.Uint32(p[1:])))
		w.message(p[0], p[5:min(size, len(p))], size <= len(p))
		if size > len(p) {
			w.left = size - len(p)
			return
		}
		p = p[size:]
	}
}

// message judges one message.
func (w *watch) message(kind byte, body []byte, whole bool) {
	switch kind {
	case 'p': // a password, during the start-up
		return
	case 'Q', 'P': // Query; Parse, in which a name comes first
		sql, rest, ended := strings.Cut(string(body), "\x00")
		if kind == 'P' {
			sql, _, ended = strings.Cut(rest, "\x00")
		}
		if !whole || !ended {
			w.suspect("a statement that came in parts")
		} else {
			doubt, ddl := Harmless(sql)
			w.suspect(doubt)
			w.ddl = w.ddl || ddl
		}
	case 'B', 'C', 'D', 'E', 'H', 'S', 'X', 'c', 'd', 'f': // about statements that have been judged; data
	default:
		w.suspect("a message of type " + string(rune(kind)))
	}
}

// suspect notes a reason; the first one stays.
func (w *watch) suspect(why string) {
	if w.doubt == "" {
		w.doubt = why
	}
}

// Alive is [Session.Alive] for a session whose client waits for nothing.
func (c *Conn) Alive() bool { return c.session.Alive() }
