package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/conf"
	"github.com/pgcell/pgcell/tools/internal/held"
	"github.com/pgcell/pgcell/tools/internal/keeper"
	"github.com/pgcell/pgcell/tools/internal/storage"
)

// Config says what [Start] runs.
type Config struct {
	// Install is the PostgreSQL to run; required.
	Install binaries.Install
	// Source fills the data directory; the zero value is initdb.
	Source keeper.Source
	// DataDir is where the data lies, and stays after the server's end. "" (the default) is a private directory that
	// ends with the server.
	DataDir string
	// Storage is where a private directory is made. The default chooses by the room there is, and takes to disk what
	// proves too large for memory at the start.
	Storage storage.Kind
	// Settings override the server's settings, which favour speed over safety; names as in postgresql.conf, values
	// unquoted.
	Settings map[string]string
	// Locale is that of a new cluster, see [conf.LocaleForm].
	Locale string
	// Containment; the default chooses.
	Containment keeper.Containment
	// SocketParent is the directory in which the server's socket directory is made; default /tmp. Short: see
	// [SocketPathError].
	SocketParent string
	// StorageLimit bounds data in memory, in bytes, under [keeper.Namespaces]; 0 (the default) is this server's share of the
	// room there is, see [storage.Choose].
	StorageLimit int64
	// Password is the superuser's in the source's data; "" (the default) lets everybody connect as the superuser without
	// one. See [Server.ChangePassword].
	Password string
	// RolePassword is what every role but the superuser needs to connect, for servers that a proxy offers to other
	// programs; "" (the default) lets them connect without one. It needs Password too. See [Server.ChangePassword].
	RolePassword string
	// OnePassword gives the superuser RolePassword too, where it would get a random one: for servers whose users may be the
	// superuser.
	OnePassword bool
	// StartTimeout bounds the time from the execution of postgres until it answers; default one minute.
	StartTimeout time.Duration
}

// Server is a running private PostgreSQL server. Close it, or let the process end. Its methods may be called
// concurrently.
type Server struct {
	config      Config
	password    string // of the superuser; "" where none is needed
	containment keeper.Containment
	dir         *held.Dir
	start       keeper.Reply // to the job
	process     *exec.Cmd
	log         *os.File // of the server, to ask for its size; nil where it cannot be read
	in          io.WriteCloser
	stderr      bytes.Buffer  // of the keeper; whole once it has been waited for
	begun       bool          // the keeper has spoken; for listen alone
	gone        chan struct{} // closed when the keeper has ended

	asking  sync.Mutex // one writer of the pipe at a time
	mu      sync.Mutex
	last    int                       // the newest request's ID
	waiting map[int]chan keeper.Reply // of whom asked, by ID
	down    error                     // why the server no longer runs; nil while it does
}

// Start runs a private server and returns when it accepts connections. Cost: 40 ms, and what the source costs (initdb:
// 0.5 s).
//
// Errors: [*keeper.ServerError] with the server's log; [*SocketPathError]; [*ContainmentError] where a forced containment
// cannot be had. Nothing is left after an error.
func Start(ctx context.Context, c Config) (*Server, error) {
	if os.Args[0] == keeper.Name { // or each such process would start another, without end
		return nil, keeper.ErrNoKeeper
	}
	c = c.withDefaults()
	var err error
	if c.SocketParent, err = filepath.Abs(c.SocketParent); err != nil { // the keeper works in another directory
		return nil, fmt.Errorf("make socket directory: %w", err)
	}
	parents := append(storage.DiskParents(), c.SocketParent, storage.MemoryDir)
	slices.Sort(parents)
	for _, parent := range slices.Compact(parents) {
		held.Sweep(parent)
	}
	if c.Containment == keeper.Watchdog || keeper.NamespacesAttr() == nil && c.Containment == keeper.Auto {
		return start(ctx, c, keeper.Watchdog)
	}
	s, err := start(ctx, c, keeper.Namespaces)
	var refused *ContainmentError
	if errors.As(err, &refused) && c.Containment == keeper.Auto {
		return start(ctx, c, keeper.Watchdog)
	}
	return s, err
}

func (c Config) withDefaults() Config {
	if c.Source.Kind == "" {
		c.Source.Kind = keeper.FromInitdb
	}
	if c.SocketParent == "" {
		c.SocketParent = "/tmp"
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = time.Minute
	}
	return c
}

// start executes a keeper and gives it its job.
func start(ctx context.Context, c Config, how keeper.Containment) (*Server, error) {
	dir, err := newSocketDir(c.SocketParent)
	if err != nil {
		return nil, err
	}
	s := &Server{config: c, password: c.Password, containment: how, dir: dir, waiting: map[int]chan keeper.Reply{}, gone: make(chan struct{})}
	if err := s.execute(how); err != nil {
		dir.Remove()
		if how == keeper.Namespaces {
			return nil, &ContainmentError{Containment: how, Reason: err.Error()}
		}
		return nil, fmt.Errorf("execute keeper: %w", err)
	}
	s.start, err = s.ask(ctx, 0, keeper.Job{
		Containment: how, BinDir: c.Install.BinDir, Version: c.Install.Version, SocketDir: dir.Path(), DataDir: c.DataDir,
		DiskParents: storage.DiskParents(), Source: c.Source, Settings: c.Settings, Locale: c.Locale,
		Storage: c.Storage, StorageLimit: c.StorageLimit,
		StartSeconds: c.StartTimeout.Seconds(), Protected: c.Password != "", ProtectedRoles: c.RolePassword != "",
	})
	if err != nil {
		s.Close()
		if s.start.Op == keeper.OpContain {
			err = &ContainmentError{Containment: how, Reason: s.start.Failure.Reason}
		}
		return nil, err
	}
	s.log, _ = os.Open(filepath.Join(dir.Path(), keeper.ServerLog)) // LogSize and LogOf do without
	live.Store(s, true)
	return s, nil
}

// Stderr is this process's standard error also while a test has another in os.Stderr, such as a pipe, to see what a
// function prints.
var Stderr = os.Stderr

func (s *Server) execute(how keeper.Containment) error {
	self := "/proc/self/exe"
	if _, err := os.Stat(self); err != nil {
		if self, err = os.Executable(); err != nil {
			return err
		}
	}
	cmd := &exec.Cmd{Path: self, Args: []string{keeper.Name}, Stderr: &s.stderr, WaitDelay: time.Second}
	// The keeper never writes to this process's standard error, but holds it open until it has left nothing. So whoever
	// reads that to its end, as go test and rules_go's wrapper do, waits for the keeper; else Bazel's process-wrapper
	// would kill it at its work.
	requests, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer requests.Close() // the keeper has its own, as of replies
	out, replies, err := os.Pipe()
	if err != nil {
		in.Close()
		return err
	}
	defer replies.Close()
	cmd.ExtraFiles = []*os.File{keeper.RequestsFD - 3: requests, keeper.RepliesFD - 3: replies, 2: s.dir.Lock(), 3: Stderr}
	// A program built with -race sleeps for a second when it ends, for which Close would wait.
	cmd.Env = append(os.Environ(), keeper.Env+"="+string(how), "GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0")
	cmd.Dir = "/" // so that it keeps no directory of the caller's busy
	if cmd.SysProcAttr = keeper.WatchdogAttr(); how == keeper.Namespaces {
		cmd.SysProcAttr = keeper.NamespacesAttr()
	}
	if err := cmd.Start(); err != nil {
		return errors.Join(err, in.Close(), out.Close())
	}
	s.process, s.in = cmd, in
	go s.listen(out)
	return nil
}

// ended tells of the keeper's end, with its last words.
func (s *Server) ended(err error) error {
	if err == nil {
		return fmt.Errorf("the server in %q was closed", s.dir.Path())
	}
	ended := fmt.Errorf("the keeper of the server in %q ended (%w)", s.dir.Path(), err)
	status, ok := s.process.ProcessState.Sys().(syscall.WaitStatus)
	killed := ok && status.Signaled() && status.Signal() == syscall.SIGKILL
	if killed {
		ended = fmt.Errorf("%w: something killed it, often the system where memory runs out; run fewer tests at once, "+
			"or set PGCELL_STORAGE=disk", ended)
	}
	if words := bytes.TrimSpace(s.stderr.Bytes()); len(words) > 0 {
		ended = fmt.Errorf("%w: %s", ended, words)
	}
	if s.begun || killed {
		return ended
	}
	return fmt.Errorf("%w\nThe keeper is this program, executed once more with "+keeper.Env+" in its environment, so that "+
		"its package initialisers run a second time; one that cannot must look for the variable and do nothing", ended)
}

func (s *Server) setDown(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down == nil || err == nil {
		s.down = err
	}
}

// Err tells why the server no longer runs; nil while it does. An error that a client got when its connection broke is
// explained by it.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down
}

// Restart stops the server with a checkpoint and starts it again on the same data. All sessions end. Where ctx ends
// first, the server is closed.
//
// Errors: [*keeper.ServerError]. Cost: about 100 ms.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Shutdown(ctx); err != nil {
		return err
	}
	_, err := s.request(ctx, keeper.OpStart)
	if ctx.Err() != nil {
		s.Close()
	}
	if err == nil {
		s.setDown(nil)
	}
	return err
}

// Shutdown stops the server cleanly, as a checkpoint and pg_ctl's fast mode do; its data stays until Close. Where ctx
// ends first, the server is closed.
//
// Errors: [*keeper.ServerError].
func (s *Server) Shutdown(ctx context.Context) error {
	_, err := s.request(ctx, keeper.OpStop)
	if ctx.Err() != nil {
		s.Close()
	}
	return err
}

// Close ends the server at once and removes all that it has, but for a [Config.DataDir]. It may be called more than
// once. Cost: 10 ms; on disk 50 ms.
func (s *Server) Close() error {
	live.Delete(s)
	s.in.Close()
	<-s.gone
	s.log.Close()
	return s.dir.Remove()
}

// Spare gives a directory on disk that the server's processes can write to, for a tablespace where the memory that the
// data lies in comes to its end. It is made at the first call, is the same in all, and goes with the server; where all
// who could remove it are killed, the next start sweeps it away. The caller may not be able to enter it. It lies on
// disk also where the data does, and in memory only where the machine has no other directory to write to.
//
// Errors: [*keeper.ServerError] that tells of each directory that was tried. Cost: 1 ms.
func (s *Server) Spare(ctx context.Context) (dir string, err error) {
	r, err := s.request(ctx, keeper.OpSpare)
	return r.Dir, err
}

// Free gives the bytes that can still be written where the data lies, and how large that is in all. In memory, free is
// at most what the machine and the control groups have left, so it may shrink by what others take. Cost: 0.1 ms, by the
// keeper; a call during [Server.Restart] waits for that.
//
// Errors: [*keeper.ServerError]; why the server has ended, where it has.
func (s *Server) Free(ctx context.Context) (free, size int64, err error) {
	r, err := s.request(ctx, keeper.OpFree)
	return r.Free, r.Size, err
}

// Containment tells which way was taken: [keeper.Namespaces] or [keeper.Watchdog].
func (s *Server) Containment() keeper.Containment { return s.containment }

// SocketDir is the directory of the server's socket, for a client's host parameter.
func (s *Server) SocketDir() string { return s.dir.Path() }

// Linger has the server stay when the process that started it ends, until somebody removes [Server.SocketDir]. (A
// signal will not do: in a sandbox processes have other numbers.) The keeper holds the standard error of this process
// open: go test, and Bazel's wrapper of a test, wait for it.
//
// Errors: why the server has ended, where it has.
func (s *Server) Linger(ctx context.Context) error {
	_, err := s.request(ctx, keeper.OpLinger)
	return err
}

// DataDir is the data directory's path as the server sees it; under [keeper.Namespaces] nobody else sees it.
func (s *Server) DataDir() string { return s.start.DataDir }

// InitialSettings are those that follow from [Config.Locale], where initdb ran: the server needs them in every life.
func (s *Server) InitialSettings() map[string]string { return s.start.Settings }

// FilesDir is an empty directory that the server's processes, and perhaps they alone, can write to; "" with a
// [Config.DataDir].
func (s *Server) FilesDir() string {
	if s.config.DataDir != "" {
		return ""
	}
	return keeper.FilesDir(s.start.DataDir)
}

// InMemory reports whether the data lies in memory-backed storage.
func (s *Server) InMemory() bool { return s.start.InMemory }

// Storage describes to people where the data lies: "memory, at most 5.2 GB", "disk in DIR".
func (s *Server) Storage() string { return s.start.Storage }

// Install is the PostgreSQL that runs.
func (s *Server) Install() binaries.Install { return s.config.Install }

// Log gives the end of the server's log: at most 20 lines.
func (s *Server) Log() string { return keeper.ReadTail(filepath.Join(s.dir.Path(), keeper.ServerLog)) }

// URL gives a connection URL that libpq and its relatives, pgx among them, accept.
func (s *Server) URL(user, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(user), Path: "/" + database, Host: ""}
	q := url.Values{"host": {s.dir.Path()}, "port": {fmt.Sprint(conf.Port)}}
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // libpq and pgx read + as itself
	return u.String()
}
