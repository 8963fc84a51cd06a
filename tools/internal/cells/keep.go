package cells

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/postgres"
)

// kept is how many cells of failed tests stay: the last ones.
const kept = 3

// Keep takes the cell from the test as Return does, but leaves its database as it is, under its name, until the server
// ends; of more than 3 the oldest go.
func (l *Lease) Keep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.cell
	endAll(l.letGo())
	p := c.pool
	p.left()
	c.close()
	l.release()
	p.mu.Lock()
	p.kept = append(p.kept, c)
	var old []*cell
	if n := len(p.kept) - kept; n > 0 {
		old = slices.Clone(p.kept[:n])
		p.kept = p.kept[n:]
	}
	p.mu.Unlock()
	for _, c := range old {
		p.cluster.behind(func() { p.discardCell(c) })
	}
}

// Linger has the server with all cells stay when this process ends, until somebody removes the directory of its socket.
func (c *Cluster) Linger(ctx context.Context) error { return c.server.Linger(ctx) }

// Dump writes the database as SQL that psql reads: by pg_dump where the server's package has one, else what the test
// has changed, as COPY statements and comments. It stops with a comment after limit bytes. Call it before Keep or
// Return.
//
// Errors: those of the connection, or pg_dump's words.
func (l *Lease) Dump(ctx context.Context, w io.Writer, limit int64) error {
	out := &limited{w: w, left: limit}
	tool := filepath.Join(l.cell.pool.cluster.server.Install().BinDir, "pg_dump")
	err := l.pgDump(ctx, tool, out)
	if err != nil && out.left == limit { // there is no pg_dump, or it cannot connect
		fmt.Fprintf(out, "-- pg_dump: %v\n-- What the test has changed:\n", strings.ReplaceAll(err.Error(), "\n", " "))
		err = l.list(ctx, out)
	}
	if out.cut {
		_, err = fmt.Fprintf(w, "\n-- Cut here, after %d bytes.\n", limit)
	}
	if err != nil {
		return fmt.Errorf("dump cell %s: %w", l.name, err)
	}
	return nil
}

func (l *Lease) pgDump(ctx context.Context, tool string, out *limited) error {
	var said bytes.Buffer
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out.full = cancel
	// The superuser sees all, row security notwithstanding. Locks that a test still holds are not waited for.
	cmd := exec.CommandContext(ctx, tool, "--lock-wait-timeout=2s", "--dbname", l.cell.pool.cluster.server.URL(AdminRole, l.name))
	cmd.Env = append(postgres.ServerEnv(), "PGPASSWORD="+l.cell.pool.cluster.server.Password())
	cmd.Stdout, cmd.Stderr = out, &said
	if err := cmd.Run(); err != nil && !out.cut {
		return fmt.Errorf("%w %s", err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

// ServerLog gives the lines of the server's log that speak of the cell, at most about limit bytes, the last ones.
func (l *Lease) ServerLog(limit int64) string {
	c := l.cell
	// Sessions that an earlier test opened have the name in the log that the database had then.
	words := []string{"@" + l.name + " "}
	c.mu.Lock()
	for _, pid := range c.woken {
		words = append(words, fmt.Sprintf(" [%d] ", pid))
	}
	c.mu.Unlock()
	return c.pool.cluster.server.LogOf(l.since, limit, words...)
}

// FullMemory is [postgres.Server.FullSince] from when the test got the cell.
func (l *Lease) FullMemory() string { return l.cell.pool.cluster.server.FullSince(l.since) }

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
