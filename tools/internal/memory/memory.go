// Package memory tells how much memory the processes here can still take: the one reader of /proc/meminfo and of
// control groups.
package memory

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Available gives how many bytes more the processes here can take: the least of what the machine has available and of
// what is left in each control group that this one belongs to. root is that of the file system. 0 where the machine
// does not tell.
func Available(root fs.FS) int64 {
	least := memAvailable(root)
	groups, _ := fs.ReadFile(root, "proc/self/cgroup") // a kernel without control groups has none
	for _, line := range strings.Split(string(groups), "\n") {
		// hierarchy:controllers:path; see cgroups(7). Version 2 has hierarchy 0 and no controllers.
		f := strings.SplitN(line, ":", 3)
		if len(f) != 3 {
			continue
		}
		switch {
		case f[0] == "0" && f[1] == "":
			least = groupRoom(root, "sys/fs/cgroup", f[2], version2, least)
		case strings.Contains(","+f[1]+",", ",memory,"):
			least = groupRoom(root, "sys/fs/cgroup/memory", f[2], version1, least)
		}
	}
	return max(0, least)
}

// memAvailable is the kernel's own estimate: what is free and what it can free. Memory-backed files are not in it.
func memAvailable(root fs.FS) int64 {
	return 1024 * fields(root, "proc/meminfo", []string{"MemAvailable:"})
}

// groupFiles are the names by which a version of control groups calls things.
type groupFiles struct {
	limits  []string // bytes; "max" is none
	current string   // bytes, the file cache included
	cache   []string // keys of memory.stat: the file cache, which is freed before the limit bites
}

var (
	version2 = groupFiles{
		limits: []string{"memory.max", "memory.high"}, current: "memory.current",
		cache: []string{"active_file", "inactive_file"},
	}
	// Without a limit, version 1 has a number above 2^62 there, which the machine's memory is always less than.
	version1 = groupFiles{
		limits: []string{"memory.limit_in_bytes"}, current: "memory.usage_in_bytes",
		cache: []string{"total_active_file", "total_inactive_file"},
	}
)

// groupRoom gives the least of a bound and of the room in a control group and all above it. A container may see its own
// group as the root of the hierarchy and yet be told of the path that the host sees: levels that are not there are
// passed over.
func groupRoom(root fs.FS, mount, group string, files groupFiles, least int64) int64 {
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		dir := path.Join(mount, group)
		for _, name := range files.limits {
			limit, limited := number(root, path.Join(dir, name))
			if !limited {
				continue
			}
			used, _ := number(root, path.Join(dir, files.current))
			if limit-used < least { // else what can be freed does not matter, and memory.stat is the slow one to read
				least = min(least, limit-max(0, used-fields(root, path.Join(dir, "memory.stat"), files.cache)))
			}
		}
		if group == "/" {
			return least
		}
	}
}

// number reads a file that holds one.
func number(root fs.FS, name string) (int64, bool) {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	return n, err == nil
}

// fields adds up the numbers that stand behind keys at the beginning of a file's lines; a key that is not there counts
// as 0.
func fields(root fs.FS, name string, keys []string) int64 {
	text, _ := fs.ReadFile(root, name) // a file that is not there has no keys
	var sum int64
	for _, line := range strings.Split(string(text), "\n") {
		if f := strings.Fields(line); len(f) > 1 && slices.Contains(keys, f[0]) {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			sum += n
		}
	}
	return sum
}
