package cells

import (
	"context"
	"fmt"
	"time"
)

// hasRoom reports whether one test more finds connections.
func (c *Cluster) hasRoom() bool {
	const enough = 2 * filled
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	room := func() bool { return c.connections.Free() >= enough && c.unused(ctx) >= enough }
	if room() {
		return true
	}
	c.connections.Reclaim()
	return room()
}

// awaitRoom waits until the server takes one more connection. Clients that connect by URL count too: those of many
// tests that wait for subtests leave few connections for the subtests. A wait of more than 5 s is told about. It returns
// early when ctx or the server ends.
func (c *Cluster) awaitRoom(ctx context.Context, who fmt.Stringer) {
	const poll, slow = 50 * time.Millisecond, 5 * time.Second
	warned := false
	for start := time.Now(); c.leases.Free() < 0 && c.unused(ctx) <= 0 && ctx.Err() == nil && c.server.Err() == nil; {
		c.shed()
		c.connections.Reclaim()
		if !warned && time.Since(start) > slow {
			warned = true
			c.warn(fmt.Sprintf("%s waits for the server, all %d connections of which are taken: %s; close connections that "+
				"were opened by URL, or set max_connections higher", who, c.most, c.clients(ctx)))
		}
		select {
		case <-ctx.Done():
		case <-time.After(poll):
		}
	}
}

// clients lists how many connections each database has, those with most first.
func (c *Cluster) clients(ctx context.Context) string {
	const first = 10
	var list string
	err := c.admin.QueryRow(ctx, "SELECT coalesce(string_agg(format('%s (%s)', name, n), ', ' ORDER BY n DESC), 'nobody') FROM "+
		"(SELECT coalesce(datname::text, 'none') AS name, count(*) AS n FROM pg_stat_activity"+
		" WHERE backend_type = 'client backend' GROUP BY 1 ORDER BY 2 DESC LIMIT $1) AS x", first).Scan(&list)
	if err != nil {
		return err.Error()
	}
	return list
}

// unused is how many connections the server can still take, without those for superusers.
func (c *Cluster) unused(ctx context.Context) int {
	var used int
	const count = "SELECT count(*) FROM pg_stat_get_activity(NULL) WHERE backend_type = 'client backend'"
	if err := c.admin.QueryRow(ctx, count).Scan(&used); err != nil {
		return 0
	}
	return c.most - reservedForSuperusers - used
}

// noStatementRuns reports whether no client of a cell has a statement running. It is false if the server does not say.
func (c *Cluster) noStatementRuns() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	const running = "SELECT count(*) FROM pg_stat_get_activity(NULL) WHERE state = 'active' AND pid <> pg_backend_pid()"
	var n int
	return c.admin.QueryRow(ctx, running).Scan(&n) == nil && n == 0
}
