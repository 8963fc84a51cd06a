package wire_test

import (
	"errors"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgcell/pgcell/tools/internal/wire"
)

// TestStartup declines encryption, then reads the packet.
func TestStartup(t *testing.T) {
	t.Parallel()
	client, server := net.Pipe()
	defer client.Close()
	go func() {
		frontend := pgproto3.NewFrontend(client, client)
		frontend.Send(&pgproto3.SSLRequest{})
		frontend.Flush()
		client.Read(make([]byte, 1))
		frontend.Send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersionNumber, Parameters: map[string]string{"user": "me"}})
		frontend.Flush()
	}()
	packet, err := wire.ReadStartup(server)
	if err != nil {
		t.Fatal(err)
	}
	var m pgproto3.StartupMessage
	if err := m.Decode(packet[4:]); err != nil || m.Parameters["user"] != "me" || wire.IsCancel(packet) {
		t.Errorf("read %v, %v; want the start-up message of user me", m, err)
	}
}

func TestNoStartup(t *testing.T) {
	t.Parallel()
	client, server := net.Pipe()
	defer client.Close()
	go client.Write([]byte("GET / HTTP/1.1\r\n"))
	if packet, err := wire.ReadStartup(server); err == nil {
		t.Errorf("read %q as a start-up packet", packet)
	}
}

func TestAskPassword(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"right": "", "wrong": "28P01", "": "28P01"} {
		client, server := net.Pipe()
		go func() {
			frontend := pgproto3.NewFrontend(client, client)
			if m, err := frontend.Receive(); err != nil {
				t.Error(m, err)
			}
			frontend.Send(&pgproto3.PasswordMessage{Password: text})
			frontend.Flush()
		}()
		err := wire.AskPassword(server, "right")
		var pg *pgconn.PgError
		if want == "" && err != nil || want != "" && (!errors.As(err, &pg) || pg.Code != want) {
			t.Errorf("with %q: %v, want %q", text, err, want)
		}
		client.Close()
	}
}
