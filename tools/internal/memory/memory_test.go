package memory_test

import (
	"fmt"
	"io/fs"
	"os"
	"testing"
	"testing/fstest"

	"github.com/pgcell/pgcell/tools/internal/memory"
)

const (
	mb = 1 << 20
	gb = 1 << 30
)

// tree is a file system of small files; meminfo gives the machine available bytes.
func tree(available int64, files map[string]string) fs.FS {
	m := fstest.MapFS{}
	if available > 0 {
		m["proc/meminfo"] = &fstest.MapFile{Data: fmt.Appendf(nil,
			"MemTotal:       24683620 kB\nMemFree:        1 kB\nMemAvailable:   %d kB\nShmem:  9 kB\n", available/1024)}
	}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text + "\n")}
	}
	return m
}

func bytes(n int64) string { return fmt.Sprint(n) }

func TestAvailable(t *testing.T) {
	t.Parallel()
	const unlimited1 = "9223372036854771712" // what version 1 says for no limit
	for _, c := range []struct {
		name string
		root fs.FS
		want int64
	}{
		{"nothing is known", tree(0, nil), 0},
		{"no groups", tree(8*gb, nil), 8 * gb},
		{"v2, no limit", tree(8*gb, map[string]string{
			"proc/self/cgroup":                        "0::/user.slice",
			"sys/fs/cgroup/user.slice/memory.max":     "max",
			"sys/fs/cgroup/user.slice/memory.current": "1000",
		}), 8 * gb},
		{"v2, own group", tree(8*gb, map[string]string{
			"proc/self/cgroup":               "0::/a",
			"sys/fs/cgroup/a/memory.max":     bytes(2 * gb),
			"sys/fs/cgroup/a/memory.current": bytes(gb / 2),
		}), 2*gb - gb/2},
		{"v2, file cache can be freed, memory-backed files cannot", tree(8*gb, map[string]string{
			"proc/self/cgroup":               "0::/a",
			"sys/fs/cgroup/a/memory.max":     bytes(2 * gb),
			"sys/fs/cgroup/a/memory.current": bytes(2 * gb),
			"sys/fs/cgroup/a/memory.stat": fmt.Sprintf("anon 5\nfile %d\nshmem %d\ninactive_file %d\nactive_file %d",
				gb, 100*mb, 300*mb, 200*mb),
		}), 500 * mb},
		{"v2, a group above is smaller", tree(8*gb, map[string]string{
			"proc/self/cgroup":                   "0::/a/b/c",
			"sys/fs/cgroup/a/b/c/memory.max":     bytes(6 * gb),
			"sys/fs/cgroup/a/b/c/memory.current": "0",
			"sys/fs/cgroup/a/memory.max":         bytes(3 * gb), "sys/fs/cgroup/a/memory.current": bytes(gb),
		}), 2 * gb},
		{"v2, throttled before the limit", tree(8*gb, map[string]string{
			"proc/self/cgroup":               "0::/a",
			"sys/fs/cgroup/a/memory.max":     bytes(2 * gb),
			"sys/fs/cgroup/a/memory.high":    bytes(gb),
			"sys/fs/cgroup/a/memory.current": "0",
		}), gb},
		{"v2, in a container whose group is the root it sees", tree(8*gb, map[string]string{
			"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": bytes(gb), "sys/fs/cgroup/memory.current": "0",
		}), gb},
		{"v2, in a container with the host's path", tree(8*gb, map[string]string{
			"proc/self/cgroup":             "0::/docker/0123",
			"sys/fs/cgroup/memory.max":     bytes(gb),
			"sys/fs/cgroup/memory.current": "0",
		}), gb},
		{"v2, a path that leads out of the root", tree(8*gb, map[string]string{
			"proc/self/cgroup":             "0::/../../a",
			"sys/fs/cgroup/memory.max":     bytes(gb),
			"sys/fs/cgroup/memory.current": "0",
		}), gb},
		{"v1", tree(8*gb, map[string]string{
			"proc/self/cgroup": "9:name=systemd:/\n4:cpu,memory:/docker/0123\n1:cpu:/x",
			"sys/fs/cgroup/memory/docker/0123/memory.limit_in_bytes": bytes(gb),
			"sys/fs/cgroup/memory/docker/0123/memory.usage_in_bytes": bytes(gb),
			"sys/fs/cgroup/memory/docker/0123/memory.stat":           fmt.Sprintf("inactive_file 1\ntotal_inactive_file %d\ntotal_active_file %d", 30*mb, 12*mb),
			"sys/fs/cgroup/memory/memory.limit_in_bytes":             unlimited1,
			"sys/fs/cgroup/memory/memory.usage_in_bytes":             bytes(9 * gb),
		}), 42 * mb},
		{"v1, no limit", tree(8*gb, map[string]string{
			"proc/self/cgroup":                           "4:memory:/\n0::/",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": unlimited1,
			"sys/fs/cgroup/memory/memory.usage_in_bytes": bytes(gb),
		}), 8 * gb},
		{"another controller's limit", tree(8*gb, map[string]string{
			"proc/self/cgroup": "4:memory_like:/a",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1",
			"sys/fs/cgroup/memory/a/memory.usage_in_bytes": "0",
		}), 8 * gb},
		{"over the limit", tree(8*gb, map[string]string{
			"proc/self/cgroup":               "0::/a",
			"sys/fs/cgroup/a/memory.max":     bytes(gb),
			"sys/fs/cgroup/a/memory.current": bytes(2 * gb),
		}), 0},
		{"the machine has less than the group", tree(gb, map[string]string{
			"proc/self/cgroup":               "0::/a",
			"sys/fs/cgroup/a/memory.max":     bytes(2 * gb),
			"sys/fs/cgroup/a/memory.current": "0",
		}), gb},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := memory.Available(c.root); got != c.want {
				t.Errorf("Available = %d, want %d", got, c.want)
			}
		})
	}
}

// TestAvailableHere asks the machine itself.
func TestAvailableHere(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/meminfo"); err != nil {
		t.Skip(err)
	}
	if got := memory.Available(os.DirFS("/")); got < 16*mb || got > 1<<50 {
		t.Errorf("Available = %d, want what a machine can have", got)
	}
}
