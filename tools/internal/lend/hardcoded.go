package lend

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgcell/pgcell/tools/internal/source"
	"github.com/pgcell/pgcell/tools/internal/wire"
)

// ServeAt takes connections from a listener at an address that is written into the suite, so that its clients cannot be
// told a user or a password. Each is let in with whatever password it has, as [golden.Role] unless it names a role that
// the template made, and to its process's own database where it asks for the one called database; "" is any but postgres
// and template1. Only processes that may connect as all of these must reach the listener.
func (b *Broker) ServeAt(l net.Listener, database string) {
	b.accept(l, func(client net.Conn) { b.welcome(client, database) })
}

// welcome serves one client.
func (b *Broker) welcome(client net.Conn, database string) {
	client.SetDeadline(time.Now().Add(time.Minute))
	packet, err := wire.ReadStartup(client)
	if err != nil {
		return
	}
	client.SetDeadline(time.Time{})
	if wire.IsCancel(packet) {
		b.cancel(client, packet)
		return
	}
	find := func(client net.Conn, asked string) (*Unit, int, error) { return b.findAt(client, asked, database) }
	if err := b.admit(client, packet, find); err != nil {
		wire.Refuse(client, err)
	}
}

// knock asks a client for the broker's password, and finds what it means.
func (b *Broker) knock(client net.Conn, asked string) (*Unit, int, error) {
	if err := wire.AskPassword(client, b.config.Password); err != nil {
		return nil, 0, err
	}
	return b.find(client, asked)
}

// admit logs in to the server for the client, and relays.
func (b *Broker) admit(client net.Conn, packet []byte, find func(net.Conn, string) (*Unit, int, error)) error {
	var startup pgproto3.StartupMessage
	if err := startup.Decode(packet[4:]); err != nil {
		return fmt.Errorf("read the start-up message: %w", err)
	}
	asked := startup.Parameters["database"]
	if asked == "" {
		asked = startup.Parameters["user"]
	}
	unit, n, err := find(client, asked)
	if err != nil {
		return err
	}
	if n > 0 {
		if asked, err = unit.database(n); err != nil {
			return err
		}
	} else if b.config.Server != nil && asked != "postgres" {
		return fmt.Errorf("database %q is one of the server's own, and not lent; pgcell exec --database %s gives each process its own by that name",
			asked, asked)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	server, greeting, err := unit.logIn(ctx, asked, startup.Parameters)
	if errors.Is(err, source.ErrOwnPassword) {
		return b.connect(client, packet)
	}
	if err != nil {
		return err
	}
	defer server.Close()
	done, ok := unit.connected(server)
	if !ok {
		return fmt.Errorf("%s has ended", unit.what)
	}
	defer done()
	if _, err := client.Write(greeting); err != nil {
		return nil // the client is gone
	}
	wire.Relay(client, server)
	return nil
}

// logIn connects to a database with a client's parameters, and gives the connection and what the client is to be sent.
func (u *Unit) logIn(ctx context.Context, database string, parameters map[string]string) (net.Conn, []byte, error) {
	server, err := u.server()
	if err != nil {
		return nil, nil, err
	}
	conn, err := server.LogIn(ctx, database, parameters)
	if err != nil {
		return nil, nil, err
	}
	return wire.Greet(ctx, conn)
}
