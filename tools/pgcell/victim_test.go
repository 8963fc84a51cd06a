package pgcell_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/held"
	"github.com/pgcell/pgcell/tools/internal/keeper"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// victimEnv makes TestVictim take a cell and end in the way that it names.
const victimEnv = "PGCELL_TEST_VICTIM"

// TestVictim is the process whose end TestNothingIsLeft watches.
func TestVictim(t *testing.T) {
	how := os.Getenv(victimEnv)
	if how == "" {
		t.Skip("runs as a child of TestNothingIsLeft alone")
	}
	cell := pgcell.New(t)
	mustScan[int](t, cell, "SELECT 1")
	fmt.Println("VICTIM", cell.Config().Host)
	bufio.NewReader(os.Stdin).ReadString('\n') // until it has been looked at
	switch how {
	case "pass":
	case "fail":
		t.Error("red on purpose")
	case "panic":
		panic("on purpose")
	case "exit":
		os.Exit(3)
	case "query":
		for t.Context().Err() == nil {
			if _, err := cell.Pool().Exec(t.Context(), "SELECT pg_sleep(0.01)"); err != nil {
				t.Fatal(err)
			}
		}
	default:
		select {}
	}
}

// victim is a test process with a server, and all that belongs to it.
type victim struct {
	cmd                *exec.Cmd
	keeper, server     int
	socketDir, dataDir string
	processes          []process // the victim, its children, and theirs
}

// process is identified by its start time as well, since ids come again.
type process struct {
	pid, parent int
	start       string // in clock ticks after boot
	name        string
}

// mustVictim starts a victim and waits until it has its cell.
func mustVictim(t *testing.T, how keeper.Containment, d death) *victim {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"-test.run=^TestVictim$", "-test.count=1"}, d.args...)...)
	cmd.Env = append(os.Environ(), victimEnv+"="+d.child, "PGCELL_CONTAINMENT="+string(how), "PGCELL_STORAGE="+string(d.storage))
	if d.child == "" {
		cmd.Env = append(cmd.Env, victimEnv+"=wait")
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(cmd.Process.Pid, syscall.SIGKILL) })
	var all []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if dir, ok := strings.CutPrefix(lines.Text(), "VICTIM "); ok {
			v := &victim{cmd: cmd, socketDir: dir}
			v.look(t)
			in.Close()
			return v
		}
		all = append(all, lines.Text())
	}
	text := strings.Join(all, "\n")
	if strings.Contains(text, "contain server by namespaces") {
		t.Skip(text)
	}
	t.Fatalf("the victim has no cell:\n%s", text)
	return nil
}

// look finds the victim's keeper, server and backends.
func (v *victim) look(t *testing.T) {
	t.Helper()
	family := map[int]bool{v.cmd.Process.Pid: true}
	for known := 0; known < len(family); {
		known = len(family)
		for _, p := range processes(t) {
			if (family[p.parent] || family[p.pid]) && !slices.Contains(v.processes, p) {
				family[p.pid] = true
				v.processes = append(v.processes, p)
			}
		}
	}
	for _, p := range v.processes {
		if p.parent == v.cmd.Process.Pid {
			v.keeper = p.pid
		}
	}
	for _, p := range v.processes {
		if p.parent == v.keeper && v.keeper != 0 {
			v.server = p.pid
		}
	}
	if v.keeper == 0 || v.server == 0 || len(v.processes) < 5 {
		t.Fatalf("found keeper %d, server %d among %v; want both, and the server's processes", v.keeper, v.server, v.processes)
	}
	var err error
	if v.dataDir, err = os.Readlink(fmt.Sprintf("/proc/%d/cwd", v.server)); err != nil {
		t.Fatal(err)
	}
}

// processes lists what runs on the machine, zombies left out.
func processes(t *testing.T) []process {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Skipf("no /proc to look for processes in (%v)", err)
	}
	var all []process
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state ppid ... starttime is the 22nd; see proc_pid_stat(5). The name may hold spaces and
		// parentheses.
		head, tail, _ := strings.Cut(string(text), " (")
		name, rest := tail[:strings.LastIndex(tail, ")")], strings.Fields(tail[strings.LastIndex(tail, ")")+1:])
		pid, _ := strconv.Atoi(head)
		parent, _ := strconv.Atoi(rest[1])
		if rest[0] != "Z" && rest[0] != "X" {
			all = append(all, process{pid: pid, parent: parent, start: rest[19], name: name})
		}
	}
	return all
}

// ensureGone gives what belonged to the victim 2 s to go.
func (v *victim) ensureGone(t *testing.T, d death) {
	t.Helper()
	var left []string
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		left = v.left(t, d)
		if len(left) == 0 || time.Now().After(deadline) {
			break
		}
	}
	for _, what := range left {
		t.Errorf("2 s after its end: %s", what)
	}
	if !d.both {
		return
	}
	// As the next start does; one of another test may be at it, so look for a while.
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		held.Sweep(filepath.Dir(v.socketDir))
		held.Sweep(filepath.Dir(filepath.Dir(v.dataDir)))
		d.both = false
		if left = v.left(t, d); len(left) == 0 || time.Now().After(deadline) {
			break
		}
	}
	for _, what := range left {
		t.Errorf("after the sweep of the next start: %s", what)
	}
}

// heldDir is the watchdog's private directory; "" where the data lay in a namespace.
func (v *victim) heldDir() string {
	if held := filepath.Dir(v.dataDir); strings.HasPrefix(filepath.Base(held), "pgcell-") {
		return held
	}
	return ""
}

// left lists what is still there: processes, directories, mounts, System V shared memory.
func (v *victim) left(t *testing.T, d death) []string {
	t.Helper()
	var left []string
	for _, p := range processes(t) {
		if slices.ContainsFunc(v.processes, func(q process) bool { return q.pid == p.pid && q.start == p.start }) {
			left = append(left, fmt.Sprintf("process %d (%s)", p.pid, p.name))
		}
	}
	for _, dir := range []string{v.socketDir, v.heldDir()} {
		if _, err := os.Lstat(dir); dir != "" && err == nil && !d.both {
			left = append(left, "directory "+dir)
		}
	}
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	if strings.Contains(string(mounts), v.socketDir) || strings.Contains(string(mounts), v.dataDir) {
		left = append(left, "a mount of "+v.dataDir)
	}
	if d.both { // nobody is left to free a segment of the watchdog's server before the next start
		return left
	}
	segments, _ := os.ReadFile("/proc/sysvipc/shm")
	for _, line := range strings.Split(string(segments), "\n") {
		if f := strings.Fields(line); len(f) > 4 && f[4] == strconv.Itoa(v.server) { // the creator's process id
			left = append(left, "shared memory segment "+f[1])
		}
	}
	return left
}
