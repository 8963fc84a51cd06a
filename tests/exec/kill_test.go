package exec_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// moments is how many moments after the start of a run it is killed at.
const moments = 5

// Whoever is killed, and whenever, all others end, and nothing is left: no process, no directory.
func TestKill(t *testing.T) {
	t.Parallel()
	warm := call{suite: "shell", flags: []string{"--migrations", "migrations"}}
	warm.run(t, "true").ensure(t, 0) // the template is made
	for _, whom := range []string{"pgcell", "the command", "the server", "all"} {
		t.Run(whom, func(t *testing.T) {
			t.Parallel()
			for moment := range moments {
				kill(t, warm, whom, time.Duration(moment)*80*time.Millisecond)
			}
		})
	}
}

func kill(t *testing.T, c call, whom string, after time.Duration) {
	t.Helper()
	mark := fmt.Sprintf("PGCELL_KILL_TEST=%d_%s", time.Now().UnixNano(), t.Name())
	c.environ = []string{mark}
	// A grandchild that goes on for long, and a session that is busy.
	cmd, dir := c.command(t, "sh", "-c", `psql -qc 'SELECT pg_sleep(3)' & sleep 60 & psql -qc 'SELECT pg_sleep(3)'; wait %1; kill $!`)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	for pids := victims(whom, cmd.Process.Pid, mark); len(pids) > 0; pids = victims(whom, cmd.Process.Pid, mark) {
		for _, pid := range pids {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		if whom != "all" {
			break
		}
		cmd.Process.Wait() // else pgcell is a zombie
	} // all: also those that others have started meanwhile
	cmd.Wait()
	deadline := time.Now().Add(20 * time.Second)
	for pids := marked(mark); len(pids) > 0; pids = marked(mark) {
		if time.Now().After(deadline) {
			t.Fatalf("%v after the start, %s was killed, and processes are left: %v", after, whom, describe(pids))
		}
		time.Sleep(20 * time.Millisecond)
	}
	// Where all were killed, or pgcell between the making of a directory and the start of the process that watches it,
	// nobody is there to clean up but the next run.
	if whom == "all" || whom == "pgcell" && !emptied(dir, 3*time.Second) {
		age(t, dir)
		next := exec.Command(cmd.Path, "exec", "--", "psql", "-qc", "SELECT 1")
		next.Env = cmd.Env
		if out, err := next.CombinedOutput(); err != nil {
			t.Fatalf("the next run: %v: %s", err, out)
		}
	}
	if !emptied(dir, 20*time.Second) {
		left, _ := filepath.Glob(dir + "/*")
		t.Fatalf("%v after the start, %s was killed, and is left: %v", after, whom, left)
	}
}

// age makes what is left in a directory two minutes old. A directory whose maker was killed before it made the lock file is
// taken for one that is being made for a minute.
func age(t *testing.T, dir string) {
	t.Helper()
	left, _ := filepath.Glob(dir + "/*")
	for _, path := range left {
		then := time.Now().Add(-2 * time.Minute)
		if err := os.Chtimes(path, then, then); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// emptied waits until nothing is in a directory.
func emptied(dir string, limit time.Duration) bool {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if left, _ := filepath.Glob(dir + "/*"); len(left) == 0 {
			return true
		}
	}
	return false
}

// victims gives the processes to kill.
func victims(whom string, pgcell int, mark string) (pids []int) {
	switch whom {
	case "pgcell":
		return []int{pgcell}
	case "all":
		return marked(mark)
	}
	for _, pid := range marked(mark) {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		keeper := strings.HasPrefix(string(name), "pgcell-keeper")
		if whom == "the server" && keeper || whom == "the command" && strings.HasPrefix(string(name), "sh\x00") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// marked gives the processes that have a mark in their environment.
func marked(mark string) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains("\x00"+string(text), "\x00"+mark+"\x00") {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		pids = append(pids, pid)
	}
	return pids
}

func describe(pids []int) (all []string) {
	for _, pid := range pids {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		all = append(all, fmt.Sprintf("%d %q", pid, text))
	}
	return all
}
