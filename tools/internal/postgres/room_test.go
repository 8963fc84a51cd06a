package postgres_test

import (
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/pgcell/pgcell/tools/internal/postgres"
)

const (
	mb = 1 << 20
	gb = 1 << 30
)

// tree is a file system of a machine with so many bytes of memory available.
func tree(available int64) fs.FS {
	return fstest.MapFS{"proc/meminfo": &fstest.MapFile{Data: fmt.Appendf(nil, "MemAvailable:   %d kB\n", available/1024)}}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want      postgres.Storage
		limit     int64
		available int64
		workers   int
		memory    bool
		size      int64
	}{
		{postgres.Auto, 0, 16 * gb, 4, true, 2 * gb},
		{postgres.Auto, 0, 4 * postgres.MinMemory, 2, true, postgres.MinMemory},
		{postgres.Auto, 0, 4*postgres.MinMemory - 4096, 2, false, 0},
		{postgres.Auto, 0, 0, 1, false, 0}, // nothing is known
		{postgres.Auto, 5 * mb, 0, 4, true, 5 * mb},
		{postgres.Memory, 0, 16 * gb, 4, true, 2 * gb},
		{postgres.Memory, 0, mb, 4, true, postgres.MinMemory},
		{postgres.Memory, 5 * mb, 0, 4, true, 5 * mb},
		{postgres.Disk, 0, 16 * gb, 4, false, 0},
		{postgres.Disk, 5 * mb, 16 * gb, 4, false, 0},
	} {
		memory, size := postgres.Choose(c.want, c.limit, tree(c.available), c.workers)
		if memory != c.memory || memory && size != c.size {
			t.Errorf("choose(%q, %d, %d available, %d) = %v, %d, want %v, %d",
				c.want, c.limit, c.available, c.workers, memory, size, c.memory, c.size)
		}
	}
}

// What doctor says is what a server does.
func TestDiskReasonIsTheServersRule(t *testing.T) {
	t.Parallel()
	for _, how := range []postgres.Containment{postgres.Auto, postgres.Watchdog} {
		server := mustStart(t, postgres.Config{Install: mustInstall(t), Containment: how})
		share, reason := postgres.DiskReason(server.Containment())
		if got, want := reason == "" && share > 0, server.InMemory(); got != want {
			t.Errorf("%s: DiskReason() = %d, %q, and the server's data is in memory: %v", how, share, reason, want)
		}
	}
}
