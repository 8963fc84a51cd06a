package clone

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// spareTablespace lies on disk, for databases that find no room in memory.
const spareTablespace = "pgcell_spare"

// reserve is what is left free in memory for the log, temporary files and what tests write, in bytes.
const reserve = 64 << 20

var errNoRoom = errors.New("no room in memory")

func noRoom(err error) bool {
	var pg *pgconn.PgError
	return errors.Is(err, errNoRoom) || errors.As(err, &pg) && pg.Code == diskFull
}

// crowded reports whether another database might take from memory what tests need to write.
func (c *Cloner) crowded(ctx context.Context) bool {
	if !c.server.InMemory() {
		return false
	}
	free, _, err := c.server.Free(ctx)
	return err == nil && free < 2*c.manifest.Facts.Size+reserve
}

// makeSpare makes the tablespace on disk, when it is first needed.
func (c *Cloner) makeSpare(ctx context.Context) error {
	c.spare.Lock()
	defer c.spare.Unlock()
	if c.onDisk {
		return nil
	}
	dir, err := c.server.Spare(ctx)
	if err == nil { // the location cannot be a parameter
		_, err = c.admin.Exec(ctx, fmt.Sprintf("CREATE TABLESPACE %s LOCATION '%s'", spareTablespace, strings.ReplaceAll(dir, "'", "''")))
	}
	if err != nil {
		return fmt.Errorf("go on on disk, for memory is full: %w", err)
	}
	c.onDisk = true
	c.warn("memory for cells is full: further ones are made on disk, in " + dir)
	return nil
}
