package exec_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tests/internal/source"
)

// Whoever is killed, and whenever, all others end, and nothing is left: no process, no directory, no file that --file
// wrote, no shared memory. The moments are random.
func TestKill(t *testing.T) {
	t.Parallel()
	warm := call{suite: t.TempDir(), flags: []string{"--migrations", "migrations", "--file", "test.conf=template.conf"}}
	mustCopy(t, "shell", warm.suite)
	mustWrite(t, filepath.Join(warm.suite, "template.conf"), "dsn = {url}")
	warm.run(t, "true").ensure(t, 0) // the template is made
	start := time.Now()
	warm.run(t, "psql", "-qc", "SELECT 1").ensure(t, 0)
	span := 2 * time.Since(start)
	for _, whom := range []string{"pgcell", "the command", "the server", "all"} {
		t.Run(whom, func(t *testing.T) {
			t.Parallel()
			c := warm
			c.suite = t.TempDir() // runs at once cannot write one file
			mustCopy(t, warm.suite, c.suite)
			for _, moment := range moments(t, span) {
				kill(t, c, whom, moment)
			}
		})
	}
}

// moments are times after the start of a run to kill it at, below span or 5 s.
func moments(t *testing.T, span time.Duration) (all []time.Duration) {
	t.Helper()
	span = min(span, 5*time.Second)
	n := 4
	if long {
		n = 20
	}
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("PGCELL_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("PGCELL_TEST_SEED: %v", err)
		}
	}
	t.Logf("PGCELL_TEST_SEED=%d chooses the same %d moments again", seed, n)
	r := rand.New(rand.NewPCG(seed, 0))
	for range n {
		all = append(all, time.Duration(r.Int64N(int64(span))))
	}
	return all
}

func kill(t *testing.T, c call, whom string, after time.Duration) {
	t.Helper()
	mark := newMark(t)
	c.environ = append(slices.Clone(c.environ), mark)
	shared := sharedMemory()
	// A grandchild that goes on for long, and a session that is busy.
	cmd, dir := c.command(t, "sh", "-c", `psql -qc 'SELECT pg_sleep(3)' & sleep 60 & psql -qc 'SELECT pg_sleep(3)'; wait %1; kill $!`)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	t.Logf("kill %s after %v", whom, after)
	strike(cmd, whom, mark)
	cmd.Wait()
	ensureEnded(t, mark)
	// Where all were killed, or pgcell between the making of a directory and the start of the process that watches it,
	// nobody is there to clean up but the next run.
	if whom == "all" || whom == "pgcell" && !emptied(dir, 3*time.Second) {
		age(t, dir)
		runNext(t, c, cmd)
	}
	if !emptied(dir, time.Minute) {
		left, _ := filepath.Glob(dir + "/*")
		t.Fatalf("%v after the start, %s was killed, and is left: %v", after, whom, left)
	}
	for _, file := range []string{"test.conf", "test.conf.pgcell-exec"} {
		if _, err := os.Stat(filepath.Join(c.suite, file)); !os.IsNotExist(err) {
			t.Fatalf("%v after the start, %s was killed, and %s is left: %v", after, whom, file, err)
		}
	}
	if long { // others that run at once have some too, but not for long
		ensureGone(t, slices.DeleteFunc(sharedMemory(), func(s string) bool { return slices.Contains(shared, s) }))
	}
}

// ensureGone waits until none of some shared memory is left.
func ensureGone(t *testing.T, some []string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		now := sharedMemory()
		some = slices.DeleteFunc(some, func(s string) bool { return !slices.Contains(now, s) })
		if len(some) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("shared memory is left: %v", some)
		}
	}
}

// runNext makes the call again that was killed, with another command.
func runNext(t *testing.T, c call, killed *exec.Cmd) {
	t.Helper()
	next := exec.Command(killed.Path, slices.Concat([]string{"exec"}, c.flags, []string{"--", "psql", "-qc", "SELECT 1"})...)
	next.Env, next.Dir = killed.Env, killed.Dir
	if out, err := next.CombinedOutput(); err != nil {
		t.Fatalf("the next run: %v: %s", err, out)
	}
}

// newMark is a variable by which the processes of a run can be found.
func newMark(t *testing.T) string {
	return fmt.Sprintf("PGCELL_KILL_TEST=%d_%s", time.Now().UnixNano(), t.Name())
}

// ensureEnded waits until the processes that have a mark have ended.
func ensureEnded(t *testing.T, mark string) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for pids := marked(mark); len(pids) > 0; pids = marked(mark) {
		if time.Now().After(deadline) {
			t.Fatalf("processes are left: %v", describe(pids))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// sharedMemory lists what the machine has of it, by POSIX and by System V.
func sharedMemory() []string {
	all, _ := filepath.Glob("/dev/shm/*")
	text, _ := os.ReadFile("/proc/sysvipc/shm")
	for line := range strings.Lines(string(text)) {
		all = append(all, strings.Join(strings.Fields(line)[:2], " ")) // its key and number
	}
	return all
}

// strike kills those whom a test says.
func strike(cmd *exec.Cmd, whom, mark string) {
	for pids := victims(whom, cmd.Process.Pid, mark); len(pids) > 0; pids = victims(whom, cmd.Process.Pid, mark) {
		for _, pid := range pids {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		if whom != "all" {
			return
		}
		cmd.Process.Wait() // else pgcell is a zombie
	} // all: also those that others have started meanwhile
}

func mustWrite(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// mustCopy copies a suite's directory, which is below suites or absolute.
func mustCopy(t *testing.T, suite, dir string) {
	t.Helper()
	if !filepath.IsAbs(suite) {
		tree, err := source.Tree()
		if err != nil {
			t.Fatal(err)
		}
		suite = filepath.Join(tree, "tests", "exec", "suites", suite)
	}
	if err := os.CopyFS(dir, os.DirFS(suite)); err != nil {
		t.Fatal(err)
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
