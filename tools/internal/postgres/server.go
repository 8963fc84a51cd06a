package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Containment is how a server is kept from outliving its test process.
type Containment string

const (
	// Auto takes Namespaces where the system allows it, else Watchdog.
	Auto Containment = ""
	// Namespaces (Linux): the keeper is the first process of namespaces of its own, and the data lies in memory that only they see; when the
	// keeper ends, the kernel ends every process and frees memory, mounts and shared memory.
	Namespaces Containment = "namespaces"
	// Watchdog: the keeper stops the server and removes its directory; what a kill of both leaves, [Sweep] removes at the next start.
	Watchdog Containment = "watchdog"
)

// ParseContainment reads "auto" (or ""), "namespaces" or "watchdog".
func ParseContainment(s string) (Containment, error) {
	switch c := Containment(s); c {
	case Auto, Namespaces, Watchdog:
		return c, nil
	case "auto":
		return Auto, nil
	}
	return "", fmt.Errorf("PGCELL_CONTAINMENT is %q; want auto, namespaces or watchdog", s)
}

// Config says what [Start] runs.
type Config struct {
	// Install is the PostgreSQL to run; required.
	Install Install
	// Source fills the data directory; the zero value is initdb.
	Source Source
	// DataDir is where the data lies, on disk, and stays after the server's end. "" (the default) is a private directory, in memory
	// where possible, that ends with the server.
	DataDir string
	// Settings override the server's settings, which favour speed over safety; names as in postgresql.conf, values unquoted.
	Settings map[string]string
	// Containment; the default chooses.
	Containment Containment
	// SocketParent is the directory in which the server's socket directory is made; default /tmp. Short: see [SocketPathError].
	SocketParent string
	// StorageLimit bounds private memory-backed data, in bytes; 0 is the system's default, half of the machine's memory.
	StorageLimit int64
	// StartTimeout bounds the time from the execution of postgres until it answers; default one minute.
	StartTimeout time.Duration
}

// Server is a running private PostgreSQL server. Close it, or let the process end. Its methods may be called concurrently.
type Server struct {
	config      Config
	containment Containment
	dir         *HeldDir
	dataDir     string
	keeper      *exec.Cmd
	in          io.WriteCloser
	stderr      bytes.Buffer // of the keeper; whole once it has been waited for
	replies     chan reply
	gone        chan struct{} // closed when the keeper has ended

	asking sync.Mutex // one request at a time
	mu     sync.Mutex
	down   error // why the server no longer runs; nil while it does
}

// Start runs a private server and returns when it accepts connections. Cost: 40 ms, and what the source costs (initdb: 0.5 s).
//
// Errors: [*ServerError] with the server's log; [*SocketPathError]; [*ContainmentError] where a forced containment cannot be had. Nothing is left after an error.
func Start(ctx context.Context, c Config) (*Server, error) {
	c = c.withDefaults()
	for _, parent := range []string{c.SocketParent, memoryDir, os.TempDir()} {
		Sweep(parent)
	}
	if c.Containment == Watchdog || namespacesAttr() == nil && c.Containment == Auto {
		return start(ctx, c, Watchdog)
	}
	s, err := start(ctx, c, Namespaces)
	var refused *ContainmentError
	if errors.As(err, &refused) && c.Containment == Auto {
		return start(ctx, c, Watchdog)
	}
	return s, err
}

func (c Config) withDefaults() Config {
	if c.Source.Kind == "" {
		c.Source.Kind = FromInitdb
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
func start(ctx context.Context, c Config, how Containment) (*Server, error) {
	dir, err := newSocketDir(c.SocketParent)
	if err != nil {
		return nil, err
	}
	s := &Server{config: c, containment: how, dir: dir, replies: make(chan reply, 1), gone: make(chan struct{})}
	if err := s.execute(how); err != nil {
		dir.Remove()
		if how == Namespaces {
			return nil, &ContainmentError{Containment: how, Reason: err.Error()}
		}
		return nil, fmt.Errorf("execute keeper: %w", err)
	}
	answer, err := s.ask(ctx, job{
		Containment: how, BinDir: c.Install.BinDir, Version: c.Install.Version, SocketDir: dir.path, DataDir: c.DataDir,
		DataParent: dataParent(), Source: c.Source, Settings: c.Settings, StorageLimit: c.StorageLimit,
		StartSeconds: c.StartTimeout.Seconds(),
	})
	if err == nil && answer.Failure != nil {
		err = answer.Failure
		if answer.Op == opContain {
			err = &ContainmentError{Containment: how, Reason: answer.Failure.Reason}
		}
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	s.dataDir = answer.DataDir
	live.Store(s, true)
	return s, nil
}

func (s *Server) execute(how Containment) error {
	self := "/proc/self/exe"
	if _, err := os.Stat(self); err != nil {
		if self, err = os.Executable(); err != nil {
			return err
		}
	}
	cmd := &exec.Cmd{Path: self, Args: []string{keeperName}, Stderr: &s.stderr}
	// The keeper never writes to this process's standard error, but holds it open until it has left nothing. So whoever reads that to its end,
	// as go test and rules_go's wrapper do, waits for the keeper; else Bazel's process-wrapper would kill it at its work.
	cmd.ExtraFiles = []*os.File{s.dir.lock, os.Stderr}
	cmd.Env = append(os.Environ(), keeperEnv+"="+string(how))
	cmd.Dir = "/" // so that it keeps no directory of the caller's busy
	if cmd.SysProcAttr = watchdogAttr(); how == Namespaces {
		cmd.SysProcAttr = namespacesAttr()
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.keeper, s.in = cmd, in
	go s.listen(json.NewDecoder(out))
	return nil
}

// listen passes replies on and notes when the server or the keeper ends.
func (s *Server) listen(out *json.Decoder) {
	for {
		var r reply
		if out.Decode(&r) != nil {
			break
		}
		if r.Op == opExited {
			s.setDown(r.Failure)
			continue
		}
		s.replies <- r
	}
	err := s.keeper.Wait()
	s.setDown(fmt.Errorf("the keeper of the server in %q ended (%w): %s", s.dir.path, err, bytes.TrimSpace(s.stderr.Bytes())))
	close(s.gone)
}

func (s *Server) setDown(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down == nil || err == nil {
		s.down = err
	}
}

// Err tells why the server no longer runs; nil while it does. An error that a client got when its connection broke is explained by it.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down
}

// ask sends one value and waits for its reply.
func (s *Server) ask(ctx context.Context, what any) (reply, error) {
	s.asking.Lock()
	defer s.asking.Unlock()
	if err := json.NewEncoder(s.in).Encode(what); err != nil {
		<-s.gone
		return reply{}, s.Err()
	}
	select {
	case r := <-s.replies:
		return r, nil
	case <-s.gone:
		return reply{}, s.Err()
	case <-ctx.Done():
		s.Close() // a reply that comes late would be taken for the next one's
		return reply{}, fmt.Errorf("wait for server in %q: %w", s.dir.path, ctx.Err())
	}
}

// Restart stops the server with a checkpoint and starts it again on the same data. All sessions end.
//
// Errors: [*ServerError]. Cost: about 100 ms.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Shutdown(ctx); err != nil {
		return err
	}
	r, err := s.ask(ctx, request{Op: opStart})
	if err == nil && r.Failure != nil {
		err = r.Failure
	}
	if err == nil {
		s.setDown(nil)
	}
	return err
}

// Shutdown stops the server cleanly, as a checkpoint and pg_ctl's fast mode do; its data stays until Close.
//
// Errors: [*ServerError].
func (s *Server) Shutdown(ctx context.Context) error {
	r, err := s.ask(ctx, request{Op: opStop})
	if err == nil && r.Failure != nil {
		err = r.Failure
	}
	return err
}

// Close ends the server at once and removes all that it has, but for a [Config.DataDir]. It may be called more than once. Cost: 10 ms.
func (s *Server) Close() error {
	live.Delete(s)
	s.in.Close()
	<-s.gone
	return s.dir.Remove()
}

// Containment tells which way was taken: [Namespaces] or [Watchdog].
func (s *Server) Containment() Containment { return s.containment }

// SocketDir is the directory of the server's socket, for a client's host parameter.
func (s *Server) SocketDir() string { return s.dir.path }

// DataDir is the data directory's path as the server sees it; under [Namespaces] nobody else sees it.
func (s *Server) DataDir() string { return s.dataDir }

// FilesDir is an empty directory that the server's processes, and perhaps they alone, can write to; "" with a [Config.DataDir].
func (s *Server) FilesDir() string {
	if s.config.DataDir != "" {
		return ""
	}
	return filesDir(s.dataDir)
}

// InMemory reports whether the data lies in memory-backed storage.
func (s *Server) InMemory() bool {
	return s.config.DataDir == "" && (s.containment == Namespaces || strings.HasPrefix(s.dataDir, memoryDir+"/"))
}

// Install is the PostgreSQL that runs.
func (s *Server) Install() Install { return s.config.Install }

// Log gives the end of the server's log: at most 20 lines.
func (s *Server) Log() string { return readTail(filepath.Join(s.dir.path, serverLog)) }

// URL gives a connection URL that libpq and its relatives, pgx among them, accept.
func (s *Server) URL(user, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(user), Path: "/" + database, Host: ""}
	q := url.Values{"host": {s.dir.path}, "port": {fmt.Sprint(port)}}
	u.RawQuery = q.Encode()
	return u.String()
}
