package storage

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"syscall"

	"github.com/pgcell/pgcell/tools/internal/memory"
)

// Kind is where the data of a private server lies.
type Kind string

const (
	// Auto is Memory where there is room, else Disk.
	Auto Kind = ""
	// Memory: a tmpfs of the server's own in namespaces of its own, else a directory in [MemoryDir]. A server that
	// finds none does not start. It is taken also where there is little room: see [Least].
	Memory Kind = "memory"
	// Disk: a directory that is swept when all who could remove it were killed: see [DiskParents].
	Disk Kind = "disk"
)

// Parse reads "auto" (or ""), "memory" or "disk".
func Parse(s string) (Kind, error) {
	switch c := Kind(s); c {
	case Auto, Memory, Disk:
		return c, nil
	case "auto":
		return Auto, nil
	}
	return "", fmt.Errorf("PGCELL_STORAGE is %q; want auto, memory or disk", s)
}

// MemoryDir is where Linux keeps memory-backed files for all.
const MemoryDir = "/dev/shm"

// Least is the least room in which data goes to memory by itself: an unpacked golden cluster (40 MB), the log (48
// MB), 8 cells of 9 MB.
const Least = 160 << 20 // bytes

// Place says where a server's data goes.
type Place struct {
	Memory bool
	Limit  int64 // of the tmpfs in bytes; meaningless on disk
}

// Choose decides for memory or disk, and how large the memory is. limit is the caller's, 0 for none; root is that of
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
// wrong is that more shards than cores grow at the same time, past half of the room: [Free] looks at the room as
// well as at the tmpfs, and so tells before it comes to that.
func Choose(want Kind, limit int64, root fs.FS, workers int) Place {
	if want == Disk {
		return Place{}
	}
	if limit > 0 {
		return Place{Memory: true, Limit: limit}
	}
	share := memory.Available(root) / int64(2*workers)
	if want == Memory {
		share = max(share, Least)
	}
	return Place{Memory: share >= Least, Limit: share}
}

// SharedRoom gives how many bytes are free where a server without a tmpfs of its own keeps data in memory; containers
// often have 64 MB.
func SharedRoom() (int64, error) {
	if err := syscall.Access(MemoryDir, 7); err != nil {
		return 0, fmt.Errorf("write to %s: %w", MemoryDir, err)
	}
	free, _, err := Free(MemoryDir)
	if err == nil && !InMemory(MemoryDir) {
		err = fmt.Errorf("%s is not in memory", MemoryDir)
	}
	return free, err
}

// DiskReason says why a server that started now under [Auto] would keep its data on disk, to people; "" if it would keep
// it in memory. Then share is the most that it may take there, in bytes. own says that it would mount memory of its own.
func DiskReason(own bool) (share int64, reason string) {
	runtime.SetDefaultGOMAXPROCS()
	p := Choose(Auto, 0, os.DirFS("/"), runtime.GOMAXPROCS(0))
	const wanted = Least >> 20
	if !p.Memory {
		return 0, fmt.Sprintf("a server's share of the memory that is free is %d MB, %d MB are wanted", p.Limit>>20, wanted)
	}
	if own {
		return p.Limit, ""
	}
	free, err := SharedRoom()
	if err != nil {
		return 0, err.Error()
	}
	if free < Least {
		return 0, fmt.Sprintf("%s has %d MB free, %d MB are wanted", MemoryDir, free>>20, wanted)
	}
	return min(p.Limit, free), ""
}

// Gigabytes writes a number of bytes as people do: "5.2 GB".
func Gigabytes(n int64) string {
	if n < 1e9 {
		return fmt.Sprintf("%d MB", n/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// Free gives the bytes that can still be written in a directory, and its file system's size. What lies in memory
// can also end before the file system is full: see [memory.Available].
func Free(dir string) (free, size int64, err error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, 0, fmt.Errorf("statfs %q: %w", dir, err)
	}
	free, size = int64(fs.Bavail)*int64(fs.Bsize), int64(fs.Blocks)*int64(fs.Bsize)
	if InMemory(dir) {
		free = min(free, memory.Available(os.DirFS("/")))
	}
	return free, size, nil
}
