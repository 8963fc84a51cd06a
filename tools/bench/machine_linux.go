package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// machine tells what the measurements were made on.
func machine() string {
	var model string
	text, _ := os.ReadFile("/proc/cpuinfo") // no model, then
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			model = ", " + strings.TrimSpace(value)
			break
		}
	}
	var info syscall.Sysinfo_t
	syscall.Sysinfo(&info) // does not fail
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%d cores%s, %d GB, Linux %s", runtime.GOMAXPROCS(0), model,
		(uint64(info.Totalram)*uint64(info.Unit)+1<<29)>>30, bytes.TrimSpace(kernel))
}

// load is the machine's average load over 1, 5 and 15 minutes.
func load() string {
	text, _ := os.ReadFile("/proc/loadavg") // none, then
	return strings.Join(strings.Fields(string(text))[:min(3, len(strings.Fields(string(text))))], " ")
}

// descendants are the processes that this one has started, directly or not.
func descendants() []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil { // it has ended
			continue
		}
		// pid (name) state parent ...; see proc(5). A name may hold anything.
		_, rest, _ := strings.Cut(string(text[bytes.LastIndexByte(text, ')'):]), " ")
		if f := strings.Fields(rest); len(f) > 1 {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			parent, _ := strconv.Atoi(f[1])
			children[parent] = append(children[parent], pid)
		}
	}
	var all []int
	for next := []int{os.Getpid()}; len(next) > 0; next = next[1:] {
		all = append(all, children[next[0]]...)
		next = append(next, children[next[0]]...)
	}
	return all
}

// pss is the memory of a process in bytes, where pages that n processes share count as an n-th; 0 where it has ended.
func pss(pid int) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "Pss:" {
			kilobytes, _ := strconv.ParseInt(f[1], 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}

// runsThis reports whether a process runs the same program as this one.
func runsThis(pid int) bool {
	program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	self, _ := os.Readlink("/proc/self/exe")
	return err == nil && program == self
}

// openFiles is how many files a process has open.
func openFiles(pid int) int {
	files, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(files)
}

// dataSize is what the data directories of the servers among these processes hold, in bytes. A server's is the current
// one of all of its processes.
func dataSize(pids []int) (size int64) {
	seen := map[[2]uint64]bool{}
	for _, pid := range pids {
		dir := fmt.Sprintf("/proc/%d/cwd/", pid)
		var at syscall.Stat_t
		if _, err := os.Stat(dir + "PG_VERSION"); err != nil || syscall.Stat(dir, &at) != nil {
			continue
		}
		id := [2]uint64{at.Dev, at.Ino}
		if seen[id] {
			continue
		}
		seen[id] = true
		filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil // dropped meanwhile
			}
			if info, err := d.Info(); err == nil {
				size += info.Sys().(*syscall.Stat_t).Blocks * 512
			}
			return nil
		})
	}
	return size
}
