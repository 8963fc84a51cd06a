package lend

import (
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/wire"
)

// proxy serves one client, from the start-up message to the end of the connection.
func (b *Broker) proxy(client net.Conn) {
	client.SetDeadline(time.Now().Add(time.Minute)) // as authentication_timeout
	packet, err := wire.ReadStartup(client)
	if err != nil {
		return // as where somebody has looked if the port is open
	}
	client.SetDeadline(time.Time{})
	if wire.IsCancel(packet) {
		b.cancel(client, packet)
		return
	}
	if b.config.Server != nil {
		if err := b.admit(client, packet, b.knock); err != nil {
			wire.Refuse(client, err)
		}
		return
	}
	if err := b.connect(client, packet); err != nil {
		wire.Refuse(client, err)
	}
}

// connect has the client's database made and relays between it and the server.
//
// Errors: for the client, which has had no answer yet.
func (b *Broker) connect(client net.Conn, packet []byte) error {
	var startup pgproto3.StartupMessage
	if err := startup.Decode(packet[4:]); err != nil {
		return fmt.Errorf("read the start-up message: %w", err)
	}
	unit, n, err := b.find(client, startup.Parameters["database"])
	if err != nil {
		return err
	}
	if n > 0 {
		if startup.Parameters["database"], err = unit.database(n); err != nil {
			return err
		}
	}
	if startup.Parameters["user"] == b.config.User && !b.config.PerProcess {
		startup.Parameters["user"] = golden.Role
	}
	host, err := unit.server()
	if err != nil {
		return err
	}
	server, err := host.Dial()
	if err != nil {
		return err
	}
	defer server.Close()
	done, ok := unit.connected(server)
	if !ok {
		return fmt.Errorf("%s has ended", unit.what)
	}
	defer done()
	text, err := startup.Encode(nil)
	if err != nil {
		return fmt.Errorf("write the start-up message: %w", err)
	}
	if _, err := server.Write(text); err != nil {
		return fmt.Errorf("send the start-up message: %w", err)
	}
	wire.Relay(client, server)
	return nil
}

// cancel passes a request on as it is: the keys are the server's own.
func (b *Broker) cancel(client net.Conn, packet []byte) {
	unit, err := b.unitOf(client)
	if err != nil {
		return
	}
	if server, err := unit.server(); err == nil {
		server.Cancel(packet)
	}
}
