package cells

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/pgcell/pgcell/tools/internal/dump"
	"github.com/pgcell/pgcell/tools/internal/session"
)

// kept is how many cells of failed tests stay: the last ones.
const kept = 3

// Keep takes the cell from the test as Return does, but leaves its database as it is, under its name, until the server
// ends; of more than 3 the oldest go.
func (l *Lease) Keep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.cell
	session.CloseAll(l.letGo())
	p := c.pool
	if !l.shared {
		p.left()
	}
	c.close()
	l.release()
	p.mu.Lock()
	p.kept = append(p.kept, c)
	old := slices.Clone(p.kept[:max(0, len(p.kept)-kept)])
	p.kept = p.kept[len(old):]
	p.mu.Unlock()
	for _, c := range old {
		p.cluster.behind(func() { p.discardCell(c) })
	}
}

// Dump writes the database as SQL that psql reads: see [dump.Source.Write]. Call it before Keep or Return.
func (l *Lease) Dump(ctx context.Context, w io.Writer, limit int64) error {
	c := l.cell
	source := dump.Source{Server: c.pool.cluster.Server(), Name: l.name, Tables: c.pool.facts.Tables, Database: &c.database}
	return source.Write(ctx, w, limit)
}

// ServerLog gives the lines of the server's log that speak of the cell, at most about limit bytes, the last ones.
func (l *Lease) ServerLog(limit int64) string {
	c := l.cell
	// Sessions that an earlier test opened have the name in the log that the database had then.
	words := []string{"@" + l.name + " "}
	for _, pid := range c.conns.Woken() {
		words = append(words, fmt.Sprintf(" [%d] ", pid))
	}
	return c.pool.cluster.server.LogOf(l.since, limit, words...)
}

// FullMemory is [postgres.Server.FullSince] from when the test got the cell.
func (l *Lease) FullMemory() string { return l.cell.pool.cluster.server.FullSince(l.since) }
