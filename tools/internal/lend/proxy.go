package lend

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/peer"
	"github.com/pgcell/pgcell/tools/internal/process"
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
		b.cancel(packet)
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
	if startup.Parameters["user"] == b.config.User {
		startup.Parameters["user"] = golden.Role
	}
	server, err := b.dial()
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

// find gives the unit behind a connection, and which of its databases is meant; 0 is one that is not pgcell's.
func (b *Broker) find(client net.Conn, database string) (u *Unit, n int, err error) {
	if suffix, ok := strings.CutPrefix(database, b.config.Database); ok {
		if n, ok := ordinal(suffix); ok {
			u, err := b.unitOf(client)
			return u, n, err
		}
	}
	if u, n := b.named(database); u != nil {
		return u, n, nil
	}
	u, err = b.unitOf(client)
	return u, 0, err
}

// named gives the unit that was told to use a name.
func (b *Broker) named(database string) (*Unit, int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if u := b.byName[database]; u != nil {
		return u, 1
	}
	if i := strings.LastIndexByte(database, '_'); i > 0 && b.byName[database[:i]] != nil {
		if n, ok := ordinal(database[i:]); ok {
			return b.byName[database[:i]], n
		}
	}
	return nil, 0
}

// unitOf finds the unit of the process at the other end of a connection.
func (b *Broker) unitOf(client net.Conn) (*Unit, error) {
	b.mu.Lock()
	command := b.command.pid
	b.mu.Unlock()
	pid, err := peer.Of(client, os.Getpid())
	if err != nil {
		return b.command, nil
	}
	at, runner := process.Worker(pid, command, b.config.Runners, b.knows)
	if at == 0 {
		return b.command, nil
	}
	return b.unit(at, fmt.Sprintf("process %d of %s", at, runner))
}

// knows reports whether a process has a unit.
func (b *Broker) knows(pid int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.byPID[pid] != nil
}

// dial connects to a private server.
func (b *Broker) dial() (net.Conn, error) {
	server, err := b.server()
	if err != nil {
		return nil, err
	}
	own, ok := server.(*private)
	if !ok {
		return nil, errors.New("the server has no socket of its own")
	}
	return own.dial()
}

// serverPort names the socket of a private server.
const serverPort = 5432

// cancel passes a request on as it is: the keys are the server's own.
func (b *Broker) cancel(packet []byte) {
	if server, err := b.server(); err == nil {
		server.cancel(packet)
	}
}
