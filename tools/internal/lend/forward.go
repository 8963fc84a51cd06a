package lend

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/peer"
	"github.com/pgcell/pgcell/tools/internal/source"
	"github.com/pgcell/pgcell/tools/internal/wire"
)

// Forwarder offers a server's Unix socket on a loopback port too.
type Forwarder struct {
	socket string // of the server
	link   string // to it, in a directory of the caller's
	tcp    net.Listener
	user   string
	conns  sync.Map
}

// Forward offers the server whose socket is in a directory: on a loopback port, to this process's descendants alone where
// the system tells who connects; and by a socket of the same port in dir. user is a name for [golden.Role]; "" is none.
//
// Errors: the port or the socket cannot be made.
func Forward(server, dir, user string) (*Forwarder, error) {
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen on a loopback port: %w", err)
	}
	if user == "" {
		user = golden.Role
	}
	f := &Forwarder{
		socket: filepath.Join(server, fmt.Sprintf(".s.PGSQL.%d", source.Port)), tcp: tcp, user: user,
	}
	f.link = filepath.Join(dir, fmt.Sprintf(".s.PGSQL.%d", tcp.Addr().(*net.TCPAddr).Port))
	if err := os.Symlink(f.socket, f.link); err != nil {
		tcp.Close()
		return nil, err
	}
	f.Serve(tcp)
	return f, nil
}

// Serve takes connections from a further listener, until that is closed.
func (f *Forwarder) Serve(l net.Listener) { f.ServeAt(l, "") }

// ServeAt takes connections from a listener at an address that is written into a program: they all become [golden.Role],
// and the database that they ask for becomes another unless it is postgres. "" leaves both as they are.
func (f *Forwarder) ServeAt(l net.Listener, database string) { go f.accept(l, database) }

func (f *Forwarder) accept(l net.Listener, database string) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		f.conns.Store(conn, true)
		go func() {
			defer f.conns.Delete(conn)
			defer conn.Close()
			f.serve(conn, database)
		}()
	}
}

func (f *Forwarder) serve(client net.Conn, database string) {
	client.SetDeadline(time.Now().Add(time.Minute))
	packet, err := wire.ReadStartup(client)
	if err != nil {
		return
	}
	if _, err := peer.Of(client, os.Getpid()); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return // the server asks for no password
	}
	client.SetDeadline(time.Time{})
	var startup pgproto3.StartupMessage
	if !wire.IsCancel(packet) && startup.Decode(packet[4:]) == nil {
		if startup.Parameters["user"] == f.user || database != "" {
			startup.Parameters["user"] = golden.Role
		}
		if database != "" && startup.Parameters["database"] != "postgres" {
			startup.Parameters["database"] = database
		}
		if packet, err = startup.Encode(nil); err != nil {
			return
		}
	}
	server, err := net.Dial("unix", f.socket)
	if err != nil {
		return
	}
	defer server.Close()
	if _, err := server.Write(packet); err == nil {
		wire.Relay(client, server)
	}
}

// Connection is how a process connects to a database.
func (f *Forwarder) Connection(database, password string) Connection {
	return Connection{
		Host: "127.0.0.1", Port: f.tcp.Addr().(*net.TCPAddr).Port, Socket: filepath.Dir(f.link), User: f.user, Password: password,
		Database: database, Table: tablePrefix + strings.TrimPrefix(database, databasePrefix), Worker: "master",
	}
}

// Close ends all connections by the port, and removes the socket.
func (f *Forwarder) Close() error {
	err := f.tcp.Close()
	f.conns.Range(func(conn, _ any) bool {
		conn.(net.Conn).Close()
		return true
	})
	os.Remove(f.link)
	return err
}
