package cells

import (
	"context"
	"errors"
	"time"

	"github.com/pgcell/pgcell/tools/internal/renew"
	"github.com/pgcell/pgcell/tools/internal/session"
)

// errUnlogged is why no cell can be had any more.
var errUnlogged = errors.New("the server has crashed and emptied the template's unlogged tables; see its log, and run the tests again")

// fit tells why no cell can be had; nil if they can.
func (c *Cluster) fit() error {
	if err := c.server.Err(); err != nil {
		return err
	}
	if c.crashed.Load() && c.manifest.Facts.Unlogged {
		return errUnlogged
	}
	return nil
}

// checkCrash asks the server whether it has crashed, since connections have broken: that may as well be a time-out, or
// somebody who ended the session. It waits for a server that recovers.
func (c *Cluster) checkCrash(ctx context.Context) {
	for start := time.Now(); time.Since(start) < recovery && c.server.Err() == nil && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		var counted string
		if err := c.admin.QueryRow(ctx, "SELECT "+renew.StartedCounting).Scan(&counted); err == nil {
			c.note(counted)
			return
		}
	}
}

// note compares since when the server counts with what it was at first. A crash sets the counters back; the time at
// which the postmaster started stays.
func (c *Cluster) note(counted string) {
	if !c.counted.CompareAndSwap(nil, &counted) && *c.counted.Load() != counted {
		c.crashed.Store(true)
	}
}

// alive reports whether a ready cell's connections stand.
func (c *cell) alive() bool {
	if c.cleaner != nil && !session.Quiet(c.cleaner.NetConn()) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.clients {
		if !s.Alive() {
			return false
		}
	}
	for _, s := range c.sessions {
		if !s.Alive() {
			return false
		}
	}
	return true
}
