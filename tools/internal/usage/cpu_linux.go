package usage

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// tick is the unit of times in /proc: USER_HZ is 100 on all of Linux's architectures that Go knows.
const tick = 10 * time.Millisecond

// CPU gives the processor time that this process and all below it have used, dead ones included that their parents have
// waited for, and the longest that one of their threads was ready to run and found no processor. ok is false where the
// kernel does not tell which processes these are (CONFIG_PROC_CHILDREN).
func CPU() (used, stalled time.Duration, ok bool) {
	queue := []string{strconv.Itoa(os.Getpid())}
	for len(queue) > 0 {
		pid := queue[0]
		queue = queue[1:]
		ticks, err := ticksOf(pid)
		if err != nil {
			continue // it has just ended
		}
		used += time.Duration(ticks) * tick
		threads, _ := filepath.Glob(filepath.Join("/proc", pid, "task", "*")) // fails for a bad pattern alone
		for _, thread := range threads {
			stalled = max(stalled, waited(thread))
			children, err := os.ReadFile(filepath.Join(thread, "children"))
			ok = ok || err == nil
			for _, child := range bytes.Fields(children) {
				queue = append(queue, string(child))
			}
		}
	}
	return used, stalled, ok
}

// waited gives the time that a thread was ready to run and did not: the second number of schedstat, in nanoseconds; 0
// where the kernel does not count it.
func waited(thread string) time.Duration {
	text, err := os.ReadFile(filepath.Join(thread, "schedstat"))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	nanoseconds, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(nanoseconds)
}

// ticksOf gives a process's own times and those of children that it has waited for: fields 14 to 17 of
// proc_pid_stat(5).
func ticksOf(pid string) (sum int64, err error) {
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // from field 3 on; the name before may hold anything
	for _, field := range fields[min(11, len(fields)):min(15, len(fields))] {
		ticks, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, err
		}
		sum += ticks
	}
	return sum, nil
}
