package peer

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// below walks the tree of processes by the lists of children that the kernel keeps, or without these
// (CONFIG_PROC_CHILDREN) by all processes' parents.
func below(root int) ([]int, error) {
	if _, err := os.Stat(procDir(root)); err != nil {
		return nil, fmt.Errorf("process %d has ended: %w", root, err)
	}
	children := childrenOf
	if _, err := os.Stat("/proc/thread-self/children"); err != nil {
		all, err := parents()
		if err != nil {
			return nil, err
		}
		children = func(pid int) []int { return all[pid] }
	}
	pids, seen := []int{root}, map[int]bool{root: true} // a process may get another parent, and be met twice
	for i := 0; i < len(pids); i++ {
		for _, child := range children(pids[i]) {
			if !seen[child] {
				seen[child] = true
				pids = append(pids, child)
			}
		}
	}
	return pids, nil
}

// childrenOf gives the children of all of a process's threads.
func childrenOf(pid int) (all []int) {
	threads, err := os.ReadDir(procDir(pid) + "/task")
	if err != nil {
		return nil // it has ended
	}
	for _, thread := range threads {
		list, err := os.ReadFile(procDir(pid) + "/task/" + thread.Name() + "/children")
		if err != nil {
			continue
		}
		for _, child := range bytes.Fields(list) {
			if id, err := strconv.Atoi(string(child)); err == nil {
				all = append(all, id)
			}
		}
	}
	return all
}

// parents maps each process to its children.
func parents() (map[int][]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	all := map[int][]int{}
	for _, dir := range stats {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if above, err := parent(pid); err == nil {
			all[above] = append(all[above], pid)
		}
	}
	return all, nil
}

// parent gives the parent of a process: field 4 of proc_pid_stat(5), after a name in parentheses that may hold anything.
func parent(pid int) (int, error) {
	stat, err := os.ReadFile(procDir(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0, fmt.Errorf("%s/stat has no parent: %q", procDir(pid), stat)
	}
	return strconv.Atoi(string(fields[1]))
}
