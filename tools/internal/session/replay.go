package session

import (
	"bytes"
	"encoding/binary"
	"maps"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

// noteStartUp records the parameters of the first client's start-up message. Later clients must send the same ones, but
// for the database, which has got another name since.
func (s *Session) noteStartUp(p []byte) (ok bool) {
	var m pgproto3.StartupMessage
	if m.Decode(p[4:]) != nil {
		return false
	}
	delete(m.Parameters, "database")
	if s.parameters == nil {
		s.parameters = m.Parameters
		return true
	}
	return maps.Equal(s.parameters, m.Parameters)
}

// Fits reports whether a client with a configuration would have got the same session from the server. The name of the
// database is not compared.
func (s *Session) Fits(config *pgx.ConnConfig) bool {
	want := map[string]string{"user": config.User}
	for name, value := range config.RuntimeParams {
		if name != "user" && name != "database" {
			want[name] = value
		}
	}
	return maps.Equal(s.parameters, want)
}

// startUp takes bytes that the server sent while the start-up is under way, and reports whether it did.
func (c *Conn) startUp(p []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != starting {
		return false
	}
	c.partial = append(c.partial, p...)
	for c.phase == starting && len(c.partial) >= 5 {
		size := 1 + int(binary.BigEndian.Uint32(c.partial[1:]))
		if size < 5 || len(c.partial) < size {
			break
		}
		c.startUpMessage(c.partial[:size])
		c.partial = c.partial[size:]
	}
	if c.phase == serving {
		c.reply, c.partial = append(c.reply, c.partial...), nil
	}
	return true
}

// startUpMessage records one message of the server's and has the client read it, with a key of its own.
func (c *Conn) startUpMessage(m []byte) {
	s := c.session
	const authenticationOk = 0
	// The exchange of passwords is the first client's alone.
	if m[0] != 'R' || len(m) >= 9 && binary.BigEndian.Uint32(m[5:]) == authenticationOk {
		s.opened = append(s.opened, m...)
	}
	if m[0] == 'S' {
		var status pgproto3.ParameterStatus
		if status.Decode(m[5:]) == nil {
			s.statuses[status.Name] = status.Value
		}
	}
	if m[0] == 'K' && len(m) > 9 {
		s.pid, s.secret = binary.BigEndian.Uint32(m[5:]), bytes.Clone(m[9:])
		s.keyAt = len(s.opened) - len(s.secret)
		c.key = c.keys.invent(c, s.pid, s.secret)
		m = append(bytes.Clone(m[:9]), c.key...)
	}
	c.reply = append(c.reply, m...)
	if m[0] == 'Z' {
		c.phase, s.greeting = serving, s.opened
	}
}

// Client gives a connection by which the next client has the session. It answers the start-up message by itself.
func (s *Session) Client(keys *Keys) *Conn {
	c := &Conn{session: s, keys: keys, phase: opening, replay: true}
	c.key = keys.invent(c, s.pid, s.secret)
	c.reply = bytes.Clone(s.greeting)
	copy(c.reply[s.keyAt:], c.key)
	return c
}

// readable says why the lexer might read statements otherwise than the server does.
func (s *Session) readable() (doubt string) {
	for name, want := range map[string]string{"standard_conforming_strings": "on", "client_encoding": "UTF8"} {
		if s.statuses[name] != want {
			return name + " is " + s.statuses[name]
		}
	}
	return ""
}
