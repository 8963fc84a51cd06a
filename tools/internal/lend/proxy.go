package lend

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/peer"
	"github.com/pgcell/pgcell/tools/internal/process"
)

// Codes in the place of a protocol version; see "Message Formats" in PostgreSQL's manual.
const (
	cancelRequest = 80877102
	sslRequest    = 80877103
	gssEncRequest = 80877104
)

// largestStartup is PostgreSQL's own limit (MAX_STARTUP_PACKET_LENGTH), in bytes.
const largestStartup = 10000

// proxy serves one client, from the start-up message to the end of the connection.
func (b *Broker) proxy(client net.Conn) {
	client.SetDeadline(time.Now().Add(time.Minute)) // as authentication_timeout
	packet, err := readStartup(client)
	if err != nil {
		return // as where somebody has looked if the port is open
	}
	client.SetDeadline(time.Time{})
	if binary.BigEndian.Uint32(packet[4:]) == cancelRequest {
		b.cancel(client, packet)
		return
	}
	if err := b.connect(client, packet); err != nil {
		tell := &pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "58000", Message: "pgcell: " + err.Error()}
		if text, err := tell.Encode(nil); err == nil {
			client.Write(text)
		}
	}
}

// readStartup reads the first packet that is no question for encryption, which it declines. The packet has its length.
func readStartup(client net.Conn) ([]byte, error) {
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
	relay(client, server)
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

// dial connects to the server.
func (b *Broker) dial() (net.Conn, error) {
	cluster, err := b.server()
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("unix", socketOf(cluster))
	if down := cluster.Server().Err(); err != nil && down != nil {
		err = down
	}
	if err != nil {
		return nil, fmt.Errorf("connect to the server: %w", err)
	}
	return conn, nil
}

func socketOf(cluster *cells.Cluster) string {
	return filepath.Join(cluster.Server().SocketDir(), fmt.Sprintf(".s.PGSQL.%d", serverPort))
}

// serverPort names the socket of a private server.
const serverPort = 5432

// cancel passes a request on as it is: the keys are the server's own. The client waits for the end of the connection,
// which is the server's to make.
func (b *Broker) cancel(client net.Conn, packet []byte) {
	server, err := b.dial()
	if err != nil {
		return
	}
	defer server.Close()
	if _, err := server.Write(packet); err == nil {
		io.Copy(io.Discard, server)
	}
}

// halfCloser is a connection of which one direction can be closed.
type halfCloser interface{ CloseWrite() error }

// relay passes bytes in both directions until both ends are done, or one is broken.
func relay(client, server net.Conn) {
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
