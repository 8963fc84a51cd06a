package cells

import (
	"context"
	"fmt"
)

// tidy takes back what tests did to the whole server, once no test has a cell: nobody can tell which test of several did
// it, nor keep it from those that run. dropped tells that the last test did what a cell is dropped for.
func (c *Cluster) tidy(dropped bool) {
	if c.cloned.inUse() || c.empty.inUse() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if dropped { // whatever it was for, the test may have given parameters to roles as well
		restored, err := c.clones.RestoreRoles(ctx)
		if restored { // connections that were opened meanwhile have them still
			c.cloned.discardReady()
			c.empty.discardReady()
		}
		if err != nil && c.server.Err() == nil {
			c.warn("take back what a role was given: " + err.Error())
		}
	}
	if err := c.clones.DropStrays(ctx); err != nil && c.server.Err() == nil {
		c.warn(fmt.Sprintf("drop databases that tests have made: %v", err))
	}
}
