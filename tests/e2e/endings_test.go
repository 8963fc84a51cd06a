package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tests/internal/nested"
)

// TestBazelEndsTests has Bazel end a test that hangs, by its time-out and by Ctrl-C: nothing of the test's servers may
// be left. A time-out warns by SIGTERM, so that keepers finish their work. At Ctrl-C Bazel's process-wrapper kills all
// at once: then directories stay until the next start.
func TestBazelEndsTests(t *testing.T) {
	dir := nested.Workspace(t, "endings")
	for _, c := range []struct{ strategy, containment, ending string }{
		{"linux-sandbox", "namespaces", "timeout"},
		{"processwrapper-sandbox", "watchdog", "timeout"},
		{"local", "namespaces", "ctrl-c"},
		{"local", "watchdog", "ctrl-c"},
	} {
		t.Run(c.ending+"/"+c.strategy+"/"+c.containment, func(t *testing.T) {
			mark := fmt.Sprintf("mark%d-%d", os.Getpid(), time.Now().UnixNano()%1e6)
			before := abandonedDirs()
			args := []string{"//:endings_test", "--test_filter=^TestHang$", "--spawn_strategy=" + c.strategy, "--test_env=ENDINGS_MARK=" + mark,
				"--test_env=PGCELL_CONTAINMENT=" + c.containment, "--local_termination_grace_seconds=1"}
			seen, ended := make(chan bool, 1), make(chan struct{})
			runs := func() bool { return len(marked(mark)) > 2 }
			if c.ending == "timeout" {
				args = append(args, "--test_timeout=20")
				go func() { seen <- waitUntil(ended, runs) }()
			} else {
				go func() { seen <- waitUntil(ended, runs) && interrupt(dir) }()
			}
			r := bazel(t, dir, "test", args...)
			close(ended)
			if !<-seen {
				t.Fatalf("the test's server was never seen:\n%s", r.Output)
			}
			want := map[string]int{"timeout": 3, "ctrl-c": 8}[c.ending]
			if r.Code != want {
				t.Errorf("bazel ended with %d, want %d:\n%s", r.Code, want, r.Output)
			}
			running := func() []string { return append(marked(mark), inEnvironment(mark)...) }
			if !waitFor(2*time.Second, func() bool { return len(running()) == 0 }) {
				t.Errorf("2 s after Bazel's end there still run %q", running())
			}
			left := func() (dirs []string) {
				for dir := range abandonedDirs() {
					if !before[dir] {
						dirs = append(dirs, dir)
					}
				}
				return dirs
			}
			if c.ending == "ctrl-c" {
				bazel(t, dir, "test", "//:endings_test", "--test_filter=^TestStart$", "--spawn_strategy=local",
					"--nocache_test_results").EnsureSuccess(t)
			}
			if !waitFor(2*time.Second, func() bool { return len(left()) == 0 }) {
				t.Errorf("there still is %q", left())
			}
		})
	}
}

// marked lists the command lines of server processes that carry a mark.
func marked(mark string) (all []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if line := strings.ReplaceAll(string(text), "\x00", " "); err == nil && strings.HasPrefix(line, "postgres: "+mark) {
			all = append(all, line)
		}
	}
	return all
}

// inEnvironment lists the processes that a mark was handed to: the test, its wrapper, its keepers.
func inEnvironment(mark string) (all []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(text), "ENDINGS_MARK="+mark) {
			name, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "comm"))
			all = append(all, strings.TrimSpace(string(name)))
		}
	}
	return all
}

// abandonedDirs lists the servers' directories that no process holds: whatever else uses pgcell on this machine holds
// its own.
func abandonedDirs() map[string]bool {
	all := map[string]bool{}
	for _, pattern := range []string{"/tmp/pgcell-*/lock", "/dev/shm/pgcell-*/lock"} {
		locks, _ := filepath.Glob(pattern)
		for _, name := range locks {
			lock, err := os.Open(name)
			if err != nil {
				continue
			}
			if syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
				all[filepath.Dir(name)] = true
			}
			lock.Close()
		}
	}
	return all
}

// interrupt sends SIGINT to the Bazel client that works in dir, and reports whether there is one.
func interrupt(dir string) bool {
	files, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, file := range files {
		cwd, err := os.Readlink(file)
		text, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		var pid int
		if err == nil && cwd == dir && strings.Contains(string(text), "\x00test\x00") {
			if fmt.Sscanf(file, "/proc/%d/cwd", &pid); pid > 1 {
				syscall.Kill(pid, syscall.SIGINT)
				return true
			}
		}
	}
	return false
}

// waitUntil polls until a condition holds, or gives up when done is closed.
func waitUntil(done <-chan struct{}, holds func() bool) bool {
	for !holds() {
		select {
		case <-done:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return true
}

// waitFor polls until a condition holds, and reports whether it came to hold in time.
func waitFor(limit time.Duration, holds func() bool) bool {
	for deadline := time.Now().Add(limit); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
