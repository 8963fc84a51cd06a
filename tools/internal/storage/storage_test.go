package storage_test

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pgcell/pgcell/tools/internal/storage"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]storage.Kind{
		"": storage.Auto, "auto": storage.Auto, "memory": storage.Memory, "disk": storage.Disk,
	} {
		if got, err := storage.Parse(in); got != want || err != nil {
			t.Errorf("Parse(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	const want = `PGCELL_STORAGE is "ram"; want auto, memory or disk`
	if _, err := storage.Parse("ram"); err == nil || err.Error() != want {
		t.Errorf("Parse(ram) = %v, want %s", err, want)
	}
}

func TestNoDirectoryOnDisk(t *testing.T) {
	t.Parallel()
	nowhere, parent := filepath.Join(t.TempDir(), "absent"), t.TempDir()
	_, err := storage.Hold([]string{nowhere, nowhere}, false)
	for _, want := range []string{"no directory on disk serves; set TMPDIR to one", "make directory for a server", nowhere} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Hold = %v, want it to contain %q", err, want)
		}
	}
	dir, err := storage.Hold([]string{nowhere, parent}, false)
	if err != nil {
		t.Fatalf("Hold with a second directory = %v, want that", err)
	}
	if err := dir.Remove(); err != nil {
		t.Error(err)
	}
}

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
		want      storage.Kind
		limit     int64
		available int64
		workers   int
		memory    bool
		size      int64
	}{
		{storage.Auto, 0, 16 * gb, 4, true, 2 * gb},
		{storage.Auto, 0, 4 * storage.Least, 2, true, storage.Least},
		{storage.Auto, 0, 4*storage.Least - 4096, 2, false, 0},
		{storage.Auto, 0, 0, 1, false, 0}, // nothing is known
		{storage.Auto, 5 * mb, 0, 4, true, 5 * mb},
		{storage.Memory, 0, 16 * gb, 4, true, 2 * gb},
		{storage.Memory, 0, mb, 4, true, storage.Least},
		{storage.Memory, 5 * mb, 0, 4, true, 5 * mb},
		{storage.Disk, 0, 16 * gb, 4, false, 0},
		{storage.Disk, 5 * mb, 16 * gb, 4, false, 0},
	} {
		got := storage.Choose(c.want, c.limit, tree(c.available), c.workers)
		if got.Memory != c.memory || got.Memory && got.Limit != c.size {
			t.Errorf("Choose(%q, %d, %d available, %d) = %v, %d, want %v, %d",
				c.want, c.limit, c.available, c.workers, got.Memory, got.Limit, c.memory, c.size)
		}
	}
}
