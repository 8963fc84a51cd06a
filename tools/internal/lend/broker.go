package lend

import (
	"cmp"
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
	// PerProcess gives each test process a server of its own, by Start, which is called for each. Names are real there: the
	// process is the superuser User, and has a database called Database. It cannot be had with Server.
	PerProcess bool
	// Password is the role's, which the server checks: that of [cells.Config.RolePassword].
	Password string
	// User is the role that clients name; they become [golden.Role]. Default: golden.Role.
	User string
	// Database is the name by which each process means its own database. Default: a new one, test_db_<worker>_<id>.
	Database string
	// Variables are additional ones, by name: see [Connection.Expand] for their values.
	Variables []Variable
	// Worker is the worker name of the command as a whole. Default: master.
	Worker string
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
	host      host // of all units
	serving   sync.WaitGroup

	mu      sync.Mutex
	command *Unit
	byPID   map[int]*Unit
	byName  map[string]*Unit
	workers map[int]bool  // numbers in use
	startUp time.Duration // see StartUp
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
	b.command = b.newUnit(cmp.Or(c.Worker, "master"))
	if b.chosen = c.Database != "" || c.PerProcess; c.Database == "" {
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
	hosts := []*host{&b.host}
	for _, u := range b.byName {
		hosts = append(hosts, &u.host)
	}
	b.mu.Unlock()
	for _, l := range []net.Listener{b.tcp, b.unix, b.control} {
		if l != nil {
			l.Close()
		}
	}
	if b.config.Server != nil { // its databases go one by one, so none may be in the making
		b.host.refuse()
		b.serving.Wait()
	}
	var err error
	for _, h := range hosts {
		err = errors.Join(err, h.close())
	}
	b.serving.Wait()
	return err
}

// Dir is the directory of the Unix socket, for a client's host parameter.
func (b *Broker) Dir() string { return b.config.Dir }
