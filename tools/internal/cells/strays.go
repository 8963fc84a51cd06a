package cells

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
)

// databases tells those that pgcell has made, and those of the golden cluster, from those that tests have made.
type databases struct {
	mu       sync.Mutex
	creating int             // that have no oid yet, as far as pgcell knows
	known    map[uint32]bool // by oid; nil until the first cell is made
}

// stray is a database that a test has made.
type stray struct {
	Name     string
	Template bool
}

// begin notes that a cell is about to be made. Where tests may make databases, it first notes those that are there.
func (d *databases) begin(ctx context.Context, c *Cluster) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil {
		rows, err := c.admin.Query(ctx, "SELECT oid FROM pg_database")
		if err != nil {
			return err
		}
		oids, err := pgx.CollectRows(rows, pgx.RowTo[uint32])
		if err != nil {
			return err
		}
		d.known = map[uint32]bool{}
		for _, oid := range oids {
			d.known[oid] = true
		}
	}
	d.creating++
	return nil
}

// end notes that a cell has been made; oid is 0 where it could not be.
func (d *databases) end(oid uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.creating--
	d.known[oid] = true
}

// forget notes that a cell has been dropped.
func (d *databases) forget(oid uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.known, oid)
}

// strays lists databases that tests have made; none while a cell is being made, which cannot be told from them.
func (d *databases) strays(ctx context.Context, c *Cluster) ([]stray, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.creating > 0 {
		return nil, nil
	}
	var known []uint32
	for oid := range d.known {
		known = append(known, oid)
	}
	rows, err := c.admin.Query(ctx, "SELECT datname::text, datistemplate FROM pg_database WHERE oid <> ALL ($1::oid[])", known)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[stray])
}

// dropStrays drops databases that tests have made, if no test has a cell: nobody can tell which test of several made one.
func (c *Cluster) dropStrays() {
	if !c.manifest.Facts.MayCopy || c.cloned.inUse() || c.empty.inUse() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	strays, err := c.databases.strays(ctx, c)
	for _, s := range strays {
		if err == nil && s.Template {
			_, err = c.admin.Exec(ctx, "ALTER DATABASE "+pgx.Identifier{s.Name}.Sanitize()+" IS_TEMPLATE false")
		}
		if err == nil {
			err = c.drop(ctx, s.Name)
		}
	}
	if err != nil && c.server.Err() == nil {
		c.warn(fmt.Sprintf("drop databases that tests have made: %v", err))
	}
}
