// Package dump writes a failed test's database as SQL that psql reads.
package dump

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"

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
	if out.cut {
		_, err = fmt.Fprintf(w, "\n-- Cut here, after %d bytes.\n", limit)
	}
	if err != nil {
		return fmt.Errorf("dump cell %s: %w", s.Name, err)
	}
	return nil
}

func (s *Source) byTool(ctx context.Context, out *limited) error {
	var said bytes.Buffer
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out.full = cancel
	tool := filepath.Join(s.Server.Install().BinDir, "pg_dump")
	// The superuser sees all, row security notwithstanding. Locks that a test still holds are not waited for.
	cmd := exec.CommandContext(ctx, tool, "--lock-wait-timeout=2s", "--dbname", s.Server.URL(golden.Superuser, s.Name))
	cmd.Env = append(postgres.ServerEnv(), "PGPASSWORD="+s.Server.Password())
	cmd.Stdout, cmd.Stderr = out, &said
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
