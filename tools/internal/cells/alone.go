package cells

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// isAboutSessions reports whether a statement, in lower case, tells of the sessions of a database, or ends them.
func isAboutSessions(lower string) bool {
	return slices.ContainsFunc(golden.AboutSessions, func(name string) bool { return strings.Contains(lower, name) })
}

// MentionsSessions reports whether a program's file holds a name of what tells of sessions or ends them, in upper or
// lower case.
//
// Errors: those of r.
func MentionsSessions(r io.Reader) (bool, error) {
	const chunk, overlap = 1 << 20, 64 // bytes; no name is longer than the latter
	var names [][]byte
	for _, name := range golden.AboutSessions {
		names = append(names, []byte(name), []byte(strings.ToUpper(name)))
	}
	buffer, kept := make([]byte, chunk+overlap), 0
	for {
		n, err := io.ReadFull(r, buffer[kept:])
		text := buffer[:kept+n]
		for _, name := range names {
			if bytes.Contains(text, name) {
				return true, nil
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		kept = copy(buffer, text[len(text)-overlap:])
	}
}

// Alone ends the connections into the database that are not the test's, and waits until the server shows them no more:
// in a new clone there are none, and a test may count sessions, or end those that are not its own, which it must not as
// far as they are the superuser's. Statements of the cell's pools that are about sessions do so by themselves; call it
// before other clients get the URL.
//
// Cost: nothing in a new clone; else 6 ms, and as recycling the cell then connects again, twice the time of a short
// test that connects by URL (34 and 73 ms on 2 cores).
func (l *Lease) Alone() {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.cell
	c.mu.Lock()
	returned := c.lease != l
	c.mu.Unlock()
	if returned {
		return
	}
	if !l.narrow && l.wide == nil { // then a session waits in a pool that the test does not know of
		if err := c.unprepare(); err != nil {
			c.pool.cluster.trace("end sessions in " + l.name + ": " + err.Error())
		}
	}
	c.mu.Lock()
	sessions, w := c.sessions, c.warden
	c.sessions, c.warden = nil, nil
	c.mu.Unlock()
	var pids []int
	for _, s := range sessions {
		pids = append(pids, int(s.pid()))
		s.end()
	}
	if w != nil {
		pids = append(pids, int(w.conn.PgConn().PID()))
		w.close()
	}
	if len(pids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := end(ctx, c.pool.cluster.admin, pids); err != nil {
		c.pool.cluster.trace("end sessions in " + l.name + ": " + err.Error())
	}
}

// MayBeCopied reports whether clients may make databases with the cell as the template, which wants nobody in it.
func (l *Lease) MayBeCopied() bool { return l.cell.pool.facts.MayCopy }

// alone is Alone for the test that has the cell, if one has.
func (c *cell) alone() {
	c.mu.Lock()
	l := c.lease
	c.mu.Unlock()
	if l != nil {
		l.Alone()
	}
}
