package postgres

import (
	"io/fs"

	"github.com/pgcell/pgcell/tools/internal/memory"
)

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
