package postgres

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"syscall"

	"github.com/pgcell/pgcell/tools/internal/memory"
)

// Storage is where the data of a private server lies.
type Storage string

const (
	// Memory: a tmpfs of the server's own under [Namespaces], [Config.StorageLimit] large; a directory in /dev/shm
	// under [Watchdog]. Start fails where there is none. It is taken also where there is little room: see minMemory.
	Memory Storage = "memory"
	// Disk: a directory that is swept when all who could remove it were killed: see diskParents.
	Disk Storage = "disk"
)

// ParseStorage reads "auto" (or ""), "memory" or "disk".
func ParseStorage(s string) (Storage, error) {
	switch c := Storage(s); c {
	case Auto, Memory, Disk:
		return c, nil
	case "auto":
		return Auto, nil
	}
	return "", fmt.Errorf("PGCELL_STORAGE is %q; want auto, memory or disk", s)
}

// memoryDir is where Linux keeps memory-backed files for all.
const memoryDir = "/dev/shm"

// minMemory is the least room in which data goes to memory by itself: an unpacked golden cluster (40 MB), the log (48
// MB), 8 cells of 9 MB.
const minMemory = 160 << 20

// place says where a server's data goes.
type place struct {
	memory bool
	limit  int64 // of the tmpfs in bytes; meaningless on disk
}

// choose decides for memory or disk, and how large the memory is. limit is the caller's, 0 for none; root is that of
// the file system; workers is how many shards may be at work at once, at least 1.
//
// The share of one server is
//
//	memory.Available(root) / (2 · workers)
//
// Room is what can still be taken before the kernel ends a process, so what other shards hold already is not in it. A
// tmpfs takes memory as it fills, not when it is made: the share is a cap, and shards that need little leave theirs to
// others. With one shard for each core, the most that Bazel runs by itself, all may fill theirs to the brim, and half
// of the room is still there for the tests, the servers' processes and Bazel. From inside a sandbox nobody sees how
// many shards a user runs at once (-n 8 on 2 cores; it must not be told, since what a test is told is part of its cache
// key). They need no other rule: a shard that starts later sees less room, so the k-th has at most (1 -
// 1/(2·workers))^(k-1) of the first one's share, and all of them together never more than there was. What is left to go
// wrong is that more shards than cores grow at the same time, past half of the room: [Server.Free] looks at the room as
// well as at the tmpfs, and so tells before it comes to that.
func choose(want Storage, limit int64, root fs.FS, workers int) place {
	if want == Disk {
		return place{}
	}
	if limit > 0 {
		return place{memory: true, limit: limit}
	}
	share := memory.Available(root) / int64(2*workers)
	if want == Memory {
		share = max(share, minMemory)
	}
	return place{memory: share >= minMemory, limit: share}
}

// choosePlace decides where a private data directory goes.
func (k *keeper) choosePlace() error {
	// By the machine and the control group's quota: a GOMAXPROCS of the user's is for the tests.
	runtime.SetDefaultGOMAXPROCS()
	k.place = choose(k.job.Storage, k.job.StorageLimit, os.DirFS("/"), runtime.GOMAXPROCS(0))
	if k.job.Containment == Namespaces || k.job.DataDir != "" || !k.place.memory {
		return nil
	}
	free, err := sharedRoom()
	switch {
	case err != nil && k.job.Storage == Memory:
		return &ServerError{Op: "prepare", Object: fmt.Sprintf("server of PostgreSQL %v", k.job.Version),
			Reason: "keep its data in memory: " + err.Error(), Remedy: "set PGCELL_STORAGE=auto to let pgcell choose"}
	case err != nil, free < minMemory && k.job.Storage != Memory:
		k.place = place{}
	}
	return nil
}

// sharedRoom gives how many bytes are free where a server without a tmpfs of its own keeps data in memory; containers
// often have 64 MB.
func sharedRoom() (int64, error) {
	if err := syscall.Access(memoryDir, 7); err != nil {
		return 0, fmt.Errorf("write to %s: %w", memoryDir, err)
	}
	free, _, err := freeSpace(memoryDir)
	if err == nil && !memoryBacked(memoryDir) {
		err = fmt.Errorf("%s is not in memory", memoryDir)
	}
	return free, err
}

// DiskReason says why a server that started now under [Auto] would keep its data on disk, to people; "" if it would keep
// it in memory. Then share is the most that it may take there, in bytes.
func DiskReason(how Containment) (share int64, reason string) {
	runtime.SetDefaultGOMAXPROCS()
	p := choose(Auto, 0, os.DirFS("/"), runtime.GOMAXPROCS(0))
	const wanted = minMemory >> 20
	if !p.memory {
		return 0, fmt.Sprintf("a server's share of the memory that is free is %d MB, %d MB are wanted", p.limit>>20, wanted)
	}
	if how == Namespaces {
		return p.limit, ""
	}
	free, err := sharedRoom()
	if err != nil {
		return 0, err.Error()
	}
	if free < minMemory {
		return 0, fmt.Sprintf("%s has %d MB free, %d MB are wanted", memoryDir, free>>20, wanted)
	}
	return min(p.limit, free), ""
}

// storage describes the place to people.
func (k *keeper) storage() string {
	if k.dataDir == "" {
		return ""
	}
	if k.memory != "" && k.place.memory && k.job.DataDir == "" {
		return "memory, at most " + gigabytes(k.place.limit)
	}
	dir := k.dataDir
	if k.held != nil {
		dir = k.held.Path()
	}
	if memoryBacked(dir) {
		return "memory in " + dir
	}
	return "disk in " + dir
}

// gigabytes writes a number of bytes as people do: "5.2 GB".
func gigabytes(n int64) string {
	if n < 1e9 {
		return fmt.Sprintf("%d MB", n/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// freeSpace gives the bytes that can still be written in a directory, and its file system's size. What lies in memory
// can also end before the file system is full: see room.
func freeSpace(dir string) (free, size int64, err error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, 0, fmt.Errorf("statfs %q: %w", dir, err)
	}
	free, size = int64(fs.Bavail)*int64(fs.Bsize), int64(fs.Blocks)*int64(fs.Bsize)
	if memoryBacked(dir) {
		free = min(free, memory.Available(os.DirFS("/")))
	}
	return free, size, nil
}
