// Package wire speaks PostgreSQL's protocol in a server's place, at the start of a connection: it reads start-up packets,
// asks for a password, greets or refuses a client, and relays what follows.
package wire

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// Codes in the place of a protocol version; see "Message Formats" in PostgreSQL's manual.
const (
	cancelRequest = 80877102
	sslRequest    = 80877103
	gssEncRequest = 80877104
)

// largestStartup is PostgreSQL's own limit (MAX_STARTUP_PACKET_LENGTH), in bytes.
const largestStartup = 10000

// ReadStartup reads the first packet that is no question for encryption, which it declines. The packet has its length.
func ReadStartup(client net.Conn) ([]byte, error) {
	for {
		head := make([]byte, 8)
		if _, err := io.ReadFull(client, head); err != nil {
			return nil, err
		}
		length := int(binary.BigEndian.Uint32(head))
		if length < 8 || length > largestStartup {
			return nil, fmt.Errorf("a start-up packet has %d bytes", length)
		}
		packet := append(head, make([]byte, length-8)...)
		if _, err := io.ReadFull(client, packet[8:]); err != nil {
			return nil, err
		}
		if code := binary.BigEndian.Uint32(head[4:]); code != sslRequest && code != gssEncRequest {
			return packet, nil
		}
		if _, err := client.Write([]byte{'N'}); err != nil {
			return nil, err
		}
	}
}

// AskPassword asks a client for its password in clear text, and compares it.
//
// Errors: a [*pgconn.PgError] where it is another.
func AskPassword(client net.Conn, password string) error {
	client.SetDeadline(time.Now().Add(time.Minute))
	defer client.SetDeadline(time.Time{})
	ask, err := (&pgproto3.AuthenticationCleartextPassword{}).Encode(nil)
	if err != nil {
		return err
	}
	if _, err := client.Write(ask); err != nil {
		return err
	}
	head := make([]byte, 5)
	if _, err := io.ReadFull(client, head); err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(head[1:])
	if head[0] != 'p' || length < 5 || length > largestStartup {
		return errors.New("the client has sent no password")
	}
	text := make([]byte, length-4)
	if _, err := io.ReadFull(client, text); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(text[:len(text)-1], []byte(password)) != 1 {
		return &pgconn.PgError{Severity: "FATAL", Code: "28P01", Message: "password authentication failed: pgcell exec gives the password in PGPASSWORD and DATABASE_URL"}
	}
	return nil
}

// Refuse tells a client why it is not let in.
func Refuse(client net.Conn, why error) {
	if text, err := refusal(why).Encode(nil); err == nil {
		client.Write(text)
	}
}

// refusal is what the server says, or what pgcell does.
func refusal(err error) *pgproto3.ErrorResponse {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return &pgproto3.ErrorResponse{
			Severity: pg.Severity, SeverityUnlocalized: pg.SeverityUnlocalized, Code: pg.Code, Message: pg.Message,
			Detail: pg.Detail, Hint: pg.Hint, Routine: pg.Routine,
		}
	}
	return &pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "58000", Message: "pgcell: " + err.Error()}
}

// Greet takes a connection out of pgconn's hands, with what a server sends to a client that has logged in.
func Greet(ctx context.Context, conn *pgconn.PgConn) (net.Conn, []byte, error) {
	// After a write that took long, pgconn reads in the background, and would take the answer to the client's first query.
	if err := conn.SyncConn(ctx); err != nil {
		return nil, nil, fmt.Errorf("take over a connection: %w", err)
	}
	h, err := conn.Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take over a connection: %w", err)
	}
	messages := []pgproto3.BackendMessage{&pgproto3.AuthenticationOk{}}
	for _, name := range slices.Sorted(maps.Keys(h.ParameterStatuses)) {
		messages = append(messages, &pgproto3.ParameterStatus{Name: name, Value: h.ParameterStatuses[name]})
	}
	key := &pgproto3.BackendKeyData{ProcessID: h.PID, SecretKey: h.SecretKey}
	messages = append(messages, key, &pgproto3.ReadyForQuery{TxStatus: h.TxStatus})
	var text []byte
	for _, m := range messages {
		if text, err = m.Encode(text); err != nil {
			h.Conn.Close()
			return nil, nil, fmt.Errorf("greet a client: %w", err)
		}
	}
	return h.Conn, text, nil
}

// halfCloser is a connection of which one direction can be closed.
type halfCloser interface{ CloseWrite() error }

// Relay passes bytes in both directions until both ends are done, or one is broken.
func Relay(client, server net.Conn) {
	back := make(chan struct{})
	go func() {
		defer close(back)
		pass(client, server)
		client.Close() // the server ends a connection at once in both directions
	}()
	pass(server, client)
	<-back
}

// pass copies from one connection to another, and its end too.
func pass(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if half, ok := to.(halfCloser); ok && (err == nil || errors.Is(err, net.ErrClosed)) {
		half.CloseWrite()
		return
	}
	to.Close()
}

// IsCancel reports whether a packet that [ReadStartup] read is a request to cancel a statement.
func IsCancel(packet []byte) bool { return binary.BigEndian.Uint32(packet[4:]) == cancelRequest }
