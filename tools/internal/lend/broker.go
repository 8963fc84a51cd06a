package lend

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/external"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/process"
)

// Config says what a [Broker] lends.
type Config struct {
	// Dir is a directory for sockets that only this user can enter; required.
	Dir string
	// Start starts the server; required. It is called once, for the first connection, so that commands which never connect
	// cost nothing. The broker closes the server.
	Start func(context.Context) (*cells.Cluster, error)
	// Server finds a server that others manage, in the place of Start, and when Start would be called. Clients log in with
	// Password to the broker; it logs in to the server. Databases other than those lent and postgres are out of reach.
	Server func(context.Context) (*external.Server, error)
	// Password is the role's, which the server checks: that of [cells.Config.RolePassword].
	Password string
	// User is the role that clients name; they become [golden.Role]. Default: golden.Role.
	User string
	// Database is the name by which each process means its own database. Default: a new one, test_db_master_<id>.
	Database string
	// Variables are additional ones, by name: see [Connection.Expand] for their values.
	Variables []Variable
	// Runners tell which processes are test processes. Default: [process.Runners].
	Runners []process.Runner
	// Warn is told what users should know. Default: nobody.
	Warn func(string)
}

// Broker lends databases. Its methods may be called concurrently. Close it.
type Broker struct {
	config    Config
	chosen    bool // the user has a name for the database, by which all processes mean their own
	tcp, unix net.Listener
	control   net.Listener
	port      int
	starting  sync.Once
	source    source
	failed    error // why there is no source
	serving   sync.WaitGroup

	mu      sync.Mutex
	command *Unit
	byPID   map[int]*Unit
	byName  map[string]*Unit
	workers map[int]bool // numbers in use
	conns   map[net.Conn]bool
	closed  bool
}

// Open starts to listen. Cost: below 1 ms.
//
// Errors: a socket cannot be made.
func Open(c Config) (*Broker, error) {
	b := &Broker{config: c, byPID: map[int]*Unit{}, byName: map[string]*Unit{}, workers: map[int]bool{}, conns: map[net.Conn]bool{}}
	if b.config.User == "" {
		b.config.User = golden.Role
	}
	if b.config.Runners == nil {
		b.config.Runners = process.Runners
	}
	b.command = b.newUnit("master")
	if b.chosen = c.Database != ""; !b.chosen {
		b.config.Database = b.command.name
	}
	var err error
	if b.tcp, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("listen on a loopback port: %w", err)
	}
	b.port = b.tcp.Addr().(*net.TCPAddr).Port
	if b.unix, err = net.Listen("unix", filepath.Join(c.Dir, fmt.Sprintf(".s.PGSQL.%d", b.port))); err == nil {
		b.control, err = net.Listen("unix", filepath.Join(c.Dir, controlName))
	}
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("listen in %q: %w", c.Dir, err)
	}
	b.Serve(b.tcp)
	b.Serve(b.unix)
	b.accept(b.control, b.answer)
	return b, nil
}

// Serve takes connections from a listener until that is closed. The processes that connect must be on this machine.
func (b *Broker) Serve(l net.Listener) { b.accept(l, b.proxy) }

func (b *Broker) accept(l net.Listener, handle func(net.Conn)) {
	b.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil { // as where files run out: wait for some to be closed
				time.Sleep(10 * time.Millisecond)
				continue
			}
			if !b.hold(conn) {
				return
			}
			b.serving.Go(func() {
				defer b.letGo(conn)
				handle(conn)
			})
		}
	})
}

// hold notes a connection that Close has to end. It reports false once the broker is closed.
func (b *Broker) hold(conn net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		conn.Close()
		return false
	}
	b.conns[conn] = true
	return true
}

func (b *Broker) letGo(conn net.Conn) {
	conn.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.conns, conn)
}

// Command notes the process in whose descendants the broker looks for clients. What it cannot find belongs to the command
// as a whole.
func (b *Broker) Command(pid int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.command.pid = pid
	b.byPID[pid] = b.command
}

// server starts the server, or gives the one that runs.
func (b *Broker) server() (source, error) {
	b.starting.Do(func() {
		b.mu.Lock()
		closed := b.closed
		b.mu.Unlock()
		if closed {
			b.failed = net.ErrClosed
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		b.source, b.failed = b.config.open(ctx)
		if b.failed != nil {
			b.warn(b.failed.Error())
		}
	})
	return b.source, b.failed
}

func (b *Broker) warn(text string) {
	if b.config.Warn != nil {
		b.config.Warn(text)
	}
}

// Close ends all connections and the server.
func (b *Broker) Close() error {
	b.mu.Lock()
	b.closed = true
	for conn := range b.conns {
		conn.Close()
	}
	b.mu.Unlock()
	for _, l := range []net.Listener{b.tcp, b.unix, b.control} {
		if l != nil {
			l.Close()
		}
	}
	b.starting.Do(func() { b.failed = net.ErrClosed })
	if b.config.Server != nil { // its databases go one by one, so none may be in the making
		b.serving.Wait()
	}
	var err error
	if b.source != nil {
		err = b.source.Close()
	}
	b.serving.Wait()
	return err
}

// Dir is the directory of the Unix socket, for a client's host parameter.
func (b *Broker) Dir() string { return b.config.Dir }
