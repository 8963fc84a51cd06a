// Package foreign hands out cells on a PostgreSQL server that others manage, and takes them back. Each cell is a new
// clone of a template, and is dropped when its test ends.
//
// Non-goals: to use a cell again, to clone cells before somebody asks for one.
package foreign

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/external"
	"github.com/pgcell/pgcell/tools/internal/golden"
)

// Connections that are held: by a process for itself, that is for its lock and for making and dropping databases, and for
// each cell.
const (
	perProcess = 3
	perCell    = 4
)

// patience bounds the time to drop a database, and to free places.
const patience = 2 * time.Minute

// Config says which server, and what its cells are.
type Config struct {
	URL    string        // of the server: see [external.Config]
	Recipe golden.Recipe // of the template; of a private server's parts it has none
	Worker string        // part of each cell's name
	Warn   func(string)  // gets what the user should know
}

// Server is a server, and this process's cells on it. It may be used concurrently.
type Server struct {
	*external.Server
	config Config
	behind sync.WaitGroup // drops

	mu    sync.Mutex
	inUse int // cells of tests
}

// Open connects, drops what dead processes have left, and finds or builds the template. What it holds is freed when the
// process ends. Cost: 50 ms and the build.
//
// Errors: those of [external.Open] and [golden.Apply].
func Open(ctx context.Context, c Config) (*Server, error) {
	server, err := external.Open(ctx, external.Config{
		URL: c.URL, Template: c.Recipe.TemplateName(binaries.Install{}), Who: processName(), Note: c.Warn,
		Build: func(ctx context.Context, conn *pgx.ConnConfig) error {
			return golden.Apply(ctx, golden.Database{Config: conn, URL: external.URL(c.URL, conn.Database)}, c.Recipe, c.Warn)
		},
	})
	if err != nil {
		return nil, err
	}
	if _, err := server.Hold(ctx, external.Places{Who: "pgcell itself", N: perProcess}); err != nil {
		return nil, errors.Join(err, server.Close(context.WithoutCancel(ctx)))
	}
	return &Server{Server: server, config: c}, nil
}

// Close drops what is left of this process's cells, and disconnects.
func (s *Server) Close() error {
	s.behind.Wait()
	return s.Server.Close(context.Background())
}

// processName is how this process is called in the messages of others.
func processName() string {
	host, _ := os.Hostname() // "" will do
	name := filepath.Base(os.Args[0])
	return fmt.Sprintf("%.24s %d@%.16s", name, os.Getpid(), host)
}

// PublicURL is how a person connects to a database, without the password.
func (s *Server) PublicURL(database string) string {
	return PublicURL(s.config.URL, s.ConnConfig(database).User, database)
}

// Request says what a test wants of [Server.Take].
type Request struct {
	Test    string // who asks, for messages
	Name    string // of a further database of a test: see [external.Request]
	Empty   bool   // a database without anything in it
	Holding bool   // the test has a cell already, or one that waits for it has
}

// Take makes a cell. It waits while tests of all processes have the server's connections; Config.Warn is told after 5 s.
// Cost: 20 to 100 ms, by the server's storage.
//
// Errors: those of [external.Server.Hold] and [external.Server.Take].
func (s *Server) Take(ctx context.Context, r Request) (*Lease, error) {
	start := time.Now()
	release, err := s.Hold(ctx, external.Places{Who: r.Test, N: perCell, Holder: r.Holding})
	if err != nil {
		return nil, s.explain("take a cell", err)
	}
	waited := time.Since(start)
	name, err := s.Server.Take(ctx, external.Request{Worker: s.config.Worker, Name: r.Name, Empty: r.Empty})
	if err != nil {
		release()
		return nil, s.explain("take a cell", err)
	}
	s.count(1)
	return &Lease{server: s, name: name, test: r.Test, waited: waited, places: []func(){release}, own: map[*pgx.Conn]func(){}}, nil
}

// explain says at which server something has failed.
func (s *Server) explain(what string, err error) error {
	return fmt.Errorf("%s on server %s: %w", what, s.Address(), err)
}

// count adds to the cells in use, and gives how many there are.
func (s *Server) count(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inUse += n
	return s.inUse
}

// drop drops a test's database, and frees its connections. If no other test has a cell it waits, so that a process whose
// last test has ended leaves nothing.
func (s *Server) drop(l *Lease) {
	s.behind.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Drop(ctx, l.name); err != nil {
			s.config.Warn(s.explain("drop a cell", err).Error())
		}
		l.release()
	})
	if s.count(-1) == 0 {
		s.behind.Wait()
	}
}
