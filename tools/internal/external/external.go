// Package external lends databases on a PostgreSQL server that others manage: a team's container, or a service of CI.
//
// All that it keeps on the server are databases: templates, named by the hash of what made them, and clones of them. A
// process owns its clones by an advisory lock that it holds for as long as it lives, in a session of its own; what belongs
// to no living process is dropped by the next process that starts. So several machines can share a server. The role
// needs CREATEDB and nothing else.
//
// Non-goals: to use a database again after a test, to change the server's settings, to start or stop it.
package external

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Config says which server, and what its databases are cloned from.
type Config struct {
	// URL is how to connect, as a URL or as keywords of libpq. Its database is where the locks are taken, and is otherwise
	// left alone; without one it is "postgres". Required.
	URL string
	// Template stands for all that makes the template: the same text, the same template. Required.
	Template string
	// Build fills the template, an empty database; conn is how to connect to it. It is called at most once at a time on a
	// server, and only if the server has no such template. nil leaves the database empty.
	Build func(ctx context.Context, conn *pgx.ConnConfig) error
	// Once has the template be this process's alone: it goes with it. For a Build that cannot say what it depends on.
	Once bool
	// Who is this process in messages to others, at most 50 bytes. Default: "pgcell".
	Who string
	// KeepTemplates is how long a template stays that nobody uses. Default: 7 days.
	KeepTemplates time.Duration
	// Note is told what was dropped. Default: nobody.
	Note func(string)
}

const (
	keepCells     = 24 * time.Hour     // how long a database of Keep stays
	keepTemplates = 7 * 24 * time.Hour // the default of Config.KeepTemplates
)

// Classes of advisory locks; the second number tells whose. They are pgcell's by being unlikely.
const (
	ownerLock    = 0x70676331 // "pgc1"
	templateLock = 0x70676332 // of who builds one
	useLock      = 0x70676333 // shared by who clones one
	placeLock    = 0x70676334 // of who has a connection, by number; 0 is held while somebody looks for free ones
)

// Marks are connection limits that nobody else would choose: they are set by the statement that makes a database, so that
// one is known as pgcell's from its first moment on. They limit nothing.
const (
	cellMark     = 1_936_287_771
	templateMark = 1_936_287_772
	keptMark     = 1_936_287_773
)

// Server is a server, with what one process owns on it. Its methods may be called concurrently. Close it.
type Server struct {
	config   Config
	base     *pgx.ConnConfig // of Config.URL
	pool     *pgxpool.Pool   // for making and dropping
	version  int             // server_version_num
	template string          // the database's name
	dress    []setting       // what CREATE DATABASE does not copy
	grants   []string

	mu    sync.Mutex
	lock  *pgx.Conn // holds ownerLock
	owner uint32
	next  uint32
	cells map[string]bool

	places places
}

// Open connects, drops what dead processes have left, and finds or builds the template. Cost: 50 ms and the build.
//
// Errors: [*UnfitError] for a server or a role that cannot serve, with what to do.
func Open(ctx context.Context, c Config) (s *Server, err error) {
	s = &Server{config: c, cells: map[string]bool{}, places: newPlaces()}
	if s.base, err = parse(c.URL); err != nil {
		return nil, err
	}
	if s.config.KeepTemplates == 0 {
		s.config.KeepTemplates = keepTemplates
	}
	defer func() {
		if err != nil {
			s.Close(context.WithoutCancel(ctx))
			s, err = nil, fmt.Errorf("use server %s: %w", s.Address(), err)
		}
	}()
	if c.Who != "" {
		s.base.RuntimeParams["application_name"] = "pgcell " + c.Who
	}
	if s.lock, err = connect(ctx, s.base); err != nil {
		return s, err
	}
	if s.version, err = check(ctx, s.lock, s.base); err != nil {
		return s, err
	}
	if err := s.own(ctx); err != nil {
		return s, err
	}
	if err := s.countPlaces(ctx); err != nil {
		return s, err
	}
	if s.pool, err = newPool(ctx, s.base); err != nil {
		return s, err
	}
	dropped, err := sweep(ctx, s.pool, s.config.KeepTemplates)
	for _, name := range dropped {
		s.note("dropped %s, which a process that is gone has left", name)
	}
	if err != nil {
		return s, err
	}
	return s, s.findTemplate(ctx)
}

// parse reads a URL for pgcell's own statements: no time-out of the server's or the role's ends them.
func parse(url string) (*pgx.ConnConfig, error) {
	base, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the server's URL: %w", err) // pgx leaves the password out
	}
	if base.Database == "" {
		base.Database = "postgres"
	}
	for name, value := range map[string]string{
		"application_name": "pgcell", "statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0",
	} {
		base.RuntimeParams[name] = value
	}
	base.DefaultQueryExecMode = pgx.QueryExecModeExec // as poolers know no prepared statements
	return base, nil
}

// newPool gives few connections: each is taken from what tests can have.
func newPool(ctx context.Context, base *pgx.ConnConfig) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig("host=/")
	if err != nil {
		return nil, err
	}
	c.ConnConfig, c.MaxConns, c.MaxConnIdleTime = base.Copy(), 2, 5*time.Second
	c.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return true } // others may have ended sessions
	return pgxpool.NewWithConfig(ctx, c)
}

// own takes a lock that nobody has, which is this process's from then on.
func (s *Server) own(ctx context.Context) error {
	if _, err := s.lock.Exec(ctx, "SELECT set_config('idle_session_timeout', '0', false) WHERE current_setting('server_version_num')::int >= 140000"); err != nil {
		return err
	}
	for {
		if s.owner == 0 {
			var random [4]byte
			rand.Read(random[:])
			s.owner = binary.BigEndian.Uint32(random[:])
		}
		var taken bool
		err := s.lock.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, $2)", ownerLock, int32(s.owner)).Scan(&taken)
		if err != nil {
			return fmt.Errorf("take an advisory lock: %w", err)
		}
		if taken {
			return nil
		}
		s.owner = 0
	}
}

// onLock gives a context for statements of the lock's session: were they cancelled, the session would end, and with it the
// process's right to what it has.
func onLock(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
}

// alive makes sure that this process still owns what it has: the session may have been ended.
func (s *Server) alive(ctx context.Context) error {
	ctx, cancel := onLock(ctx)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return errors.New("the server is closed")
	}
	if s.lock.Ping(ctx) == nil {
		return nil
	}
	s.lock.Close(ctx)
	fresh, err := connect(ctx, s.base)
	if err != nil {
		return fmt.Errorf("connect again: %w", err)
	}
	if err := s.retake(ctx, fresh); err != nil {
		fresh.Close(ctx)
		return err
	}
	s.lock = fresh
	return nil
}

// retake takes the locks of this process for a new session.
func (s *Server) retake(ctx context.Context, fresh *pgx.Conn) error {
	if _, err := fresh.Exec(ctx, "SELECT pg_advisory_lock_shared($1, $2)", useLock, keyOf(s.template)); err != nil {
		return err
	}
	var taken bool
	if err := fresh.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, $2)", ownerLock, int32(s.owner)).Scan(&taken); err != nil {
		return err
	}
	if !taken {
		return errors.New("the session that held this process's databases was ended, and another process has its lock")
	}
	// Places that another process has got meanwhile are given out twice.
	mine := slices.Collect(maps.Keys(s.places.held))
	_, err := fresh.Exec(ctx, "SELECT pg_try_advisory_lock($1, n) FROM unnest($2::int[]) n", placeLock, mine)
	return err
}

// Close drops the databases that are left, and lets go of the lock.
func (s *Server) Close(ctx context.Context) error {
	var errs []error
	if s.pool != nil {
		s.mu.Lock()
		var left []string
		for name := range s.cells {
			left = append(left, name)
		}
		s.mu.Unlock()
		slices.Sort(left)
		for _, name := range left {
			errs = append(errs, s.Drop(ctx, name))
		}
		s.pool.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock != nil {
		s.lock.Close(ctx)
		s.lock = nil
	}
	return errors.Join(errs...)
}

func (s *Server) note(format string, args ...any) {
	if s.config.Note != nil {
		s.config.Note(fmt.Sprintf(format, args...))
	}
}

// Template is the name of the template's database.
func (s *Server) Template() string { return s.template }

// Version is the server's version, such as "15.4".
func (s *Server) Version() string { return fmt.Sprintf("%d.%d", s.version/10000, s.version%10000) }

// Address is the server's URL without passwords.
func (s *Server) Address() string { return address(s.base) }

func address(c *pgx.ConnConfig) string {
	if strings.HasPrefix(c.Host, "/") {
		return fmt.Sprintf("%s:%d", c.Host, c.Port)
	}
	u := url.URL{Scheme: "postgres", User: url.User(c.User), Host: fmt.Sprintf("%s:%d", c.Host, c.Port), Path: "/" + c.Database}
	return u.String()
}

// URL gives a server's URL, or keywords of libpq, with another database.
func URL(server, database string) string {
	if u, err := url.Parse(server); err == nil && u.Scheme != "" {
		u.Path = "/" + database
		return u.String()
	}
	return server + " dbname=" + database
}

// ConnConfig is how to connect to one of the server's databases, as the role of the URL.
func (s *Server) ConnConfig(database string) *pgx.ConnConfig {
	c := s.base.Copy()
	for _, name := range []string{"application_name", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"} {
		delete(c.RuntimeParams, name)
	}
	c.Database, c.DefaultQueryExecMode = database, pgx.QueryExecModeCacheStatement
	return c
}
