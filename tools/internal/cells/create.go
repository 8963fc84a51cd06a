package cells

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/renew"
)

// diskFull is the SQLSTATE of a write that finds no space.
const diskFull = "53100"

// spareTablespace lies on disk, for cells that find no room in memory.
const spareTablespace = "pgcell_spare"

// reserve is what is left free in memory for the log, temporary files and what tests write, in bytes.
const reserve = 64 << 20

// create makes a database from a template. Where memory comes to its end, it goes to disk.
func (c *Cluster) create(ctx context.Context, name, template string) (d renew.Database, err error) {
	if c.manifest.Facts.MayCopy {
		if err := c.databases.begin(ctx, c); err != nil {
			return d, c.explain("make cell "+name, err)
		}
		defer func() { c.databases.end(d.OID) }()
	}
	err = errNoRoom
	if !c.crowded(ctx) {
		err = c.createOn(ctx, name, template, "")
	}
	if noRoom(err) && c.server.InMemory() {
		if err = c.spare.make(ctx, c); err == nil {
			err = c.createOn(ctx, name, template, " TABLESPACE "+spareTablespace)
		}
	}
	if dress := c.manifest.Facts.Dress(name, template); dress != "" && err == nil && template == c.manifest.Template {
		_, err = c.admin.Exec(ctx, dress)
	}
	if err == nil {
		d, err = renew.Identify(ctx, c.admin, name)
	}
	if err != nil {
		return d, c.explain("make cell "+name, err)
	}
	c.note(d.Started)
	return d, nil
}

var errNoRoom = errors.New("no room in memory")

func noRoom(err error) bool {
	var pg *pgconn.PgError
	return errors.Is(err, errNoRoom) || errors.As(err, &pg) && pg.Code == diskFull
}

// crowded reports whether another cell might take from memory what tests need to write.
func (c *Cluster) crowded(ctx context.Context) bool {
	if !c.server.InMemory() {
		return false
	}
	free, _, err := c.server.Free(ctx)
	return err == nil && free < 2*c.manifest.Facts.Size+reserve
}

func (c *Cluster) createOn(ctx context.Context, name, template, tablespace string) error {
	c.copying.RLock()
	defer c.copying.RUnlock()
	sql := fmt.Sprintf("CREATE DATABASE %s OWNER %s TEMPLATE %s%s",
		pgx.Identifier{name}.Sanitize(), golden.Role, pgx.Identifier{template}.Sanitize(), tablespace)
	if c.mayReflink() {
		if done, err := c.reflink(ctx, sql+" STRATEGY FILE_COPY"); done {
			return err
		}
	}
	_, err := c.admin.Exec(ctx, sql+c.strategy())
	return err
}

// strategy chooses how a clone is made. On memory, copying files beats writing every page to the log (15 ms against
// 30); on a disk the two checkpoints of FILE_COPY make it the slower one. Version 14 knows FILE_COPY alone, and no word
// for it.
func (c *Cluster) strategy() string {
	if c.major() < 15 || !c.server.InMemory() {
		return ""
	}
	return " STRATEGY FILE_COPY"
}

// Strategy says how cells are cloned: "FILE_COPY", "WAL_LOG", or "FILE_COPY by reflinks".
func (c *Cluster) Strategy() string {
	switch {
	case c.reflinks.Load() > 0:
		return "FILE_COPY by reflinks"
	case c.major() < 15 || c.server.InMemory():
		return "FILE_COPY"
	}
	return "WAL_LOG"
}

// mayReflink reports whether to try copies that share blocks on disk: PostgreSQL 18 has them, on file systems such as
// XFS and Btrfs. A tmpfs has none.
func (c *Cluster) mayReflink() bool {
	return c.major() >= 18 && !c.server.InMemory() && c.reflinks.Load() >= 0
}

// reflink tries once what the file system can do, and does so from then on if it can; done tells if it has.
func (c *Cluster) reflink(ctx context.Context, sql string) (done bool, err error) {
	conn, err := c.admin.Acquire(ctx)
	if err != nil {
		return true, err
	}
	defer conn.Release()
	if _, err = conn.Exec(ctx, "SET file_copy_method = 'clone'"); err == nil {
		if _, err = conn.Exec(ctx, sql); err == nil {
			c.reflinks.Store(1)
		}
	}
	if _, also := conn.Exec(ctx, "RESET file_copy_method"); also != nil && err == nil {
		return true, also
	}
	if err == nil || c.reflinks.Load() > 0 {
		return true, err
	}
	c.reflinks.Store(-1)
	return false, nil
}

// spare is the tablespace on disk, made when it is first needed.
type spare struct {
	mu   sync.Mutex
	made bool
}

func (s *spare) make(ctx context.Context, c *Cluster) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made {
		return nil
	}
	dir, err := c.server.Spare(ctx)
	if err != nil {
		return fmt.Errorf("go on on disk, for memory is full: %w", err)
	}
	// The location cannot be a parameter.
	sql := fmt.Sprintf("CREATE TABLESPACE %s LOCATION '%s'", spareTablespace, strings.ReplaceAll(dir, "'", "''"))
	if _, err := c.admin.Exec(ctx, sql); err != nil {
		return fmt.Errorf("go on on disk, for memory is full: %w", err)
	}
	s.made = true
	c.warn("memory for cells is full: further ones are made on disk, in " + dir)
	return nil
}
