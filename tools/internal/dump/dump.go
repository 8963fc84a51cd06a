// Package dump writes a failed test's database as SQL that psql reads.
package dump

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/conf"
	"github.com/pgcell/pgcell/tools/internal/facts"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/renew"
)

// Source is the database to be written.
type Source struct {
	Server   *postgres.Server
	Name     string          // of the database
	Tables   []facts.Table   // of its template, with few rows or none
	Database *renew.Database // what is known of it since the test before
}

// Write writes the database: by pg_dump where the server's package has one, else what the test has changed, as COPY
// statements and comments. It stops with a comment after limit bytes. The latter way ends the test's sessions.
//
// Errors: those of the connection, or pg_dump's words.
func (s *Source) Write(ctx context.Context, w io.Writer, limit int64) error {
	out := &limited{w: w, left: limit}
	err := s.byTool(ctx, out)
	if err != nil && out.left == limit { // there is no pg_dump, or it cannot connect
		fmt.Fprintf(out, "-- pg_dump: %v\n-- What the test has changed:\n", strings.ReplaceAll(err.Error(), "\n", " "))
		err = s.list(ctx, out)
	}
	return out.end(s.Name, limit, err)
}

// Tool writes a database on a server that others manage, by the pg_dump on PATH, and stops with a comment after limit
// bytes. url is how to connect, password what it lacks.
//
// Errors: pg_dump's words, or that there is none.
func Tool(ctx context.Context, w io.Writer, limit int64, name, url, password string) error {
	out := &limited{w: w, left: limit}
	environ := os.Environ()
	if password != "" {
		environ = append(environ, "PGPASSWORD="+password)
	}
	return out.end(name, limit, runTool(ctx, out, "pg_dump", url, environ))
}

// end closes what was written with a comment if it was cut.
func (l *limited) end(name string, limit int64, err error) error {
	if l.cut {
		_, err = fmt.Fprintf(l.w, "\n-- Cut here, after %d bytes.\n", limit)
	}
	if err != nil {
		return fmt.Errorf("dump cell %s: %w", name, err)
	}
	return nil
}

func (s *Source) byTool(ctx context.Context, out *limited) error {
	tool := filepath.Join(s.Server.Install().BinDir, "pg_dump")
	// The superuser sees all, row security notwithstanding.
	return runTool(ctx, out, tool, s.Server.URL(golden.Superuser, s.Name), append(conf.Env(filepath.Dir(tool)), "PGPASSWORD="+s.Server.Password()))
}

func runTool(ctx context.Context, out *limited, tool, url string, environ []string) error {
	var said bytes.Buffer
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out.full = cancel
	// Locks that a test still holds are not waited for.
	cmd := exec.CommandContext(ctx, tool, "--lock-wait-timeout=2s", "--dbname", url)
	cmd.Env, cmd.Stdout, cmd.Stderr = environ, out, &said
	if err := cmd.Run(); err != nil && !out.cut {
		return fmt.Errorf("%w %s", err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

// limited passes a number of bytes on, and then calls full.
type limited struct {
	w    io.Writer
	left int64
	cut  bool
	full func()
}

func (l *limited) Write(p []byte) (int, error) {
	n := len(p)
	if int64(n) > l.left {
		p = p[:l.left]
		l.cut = true
		if l.full != nil {
			l.full()
		}
	}
	l.left -= int64(len(p))
	if _, err := l.w.Write(p); err != nil {
		return 0, err
	}
	return n, nil
}
