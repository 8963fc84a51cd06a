package exec_test

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// socketParent makes a directory for a command's sockets; it must be empty at the end. If the test binary is killed, as
// Bazel does after a time-out, the next start of any server below base removes it: the directory around it has the name
// and the lock of pgcell's own.
func socketParent(t *testing.T, base string) string {
	t.Helper()
	var id [4]byte
	rand.Read(id[:]) // never fails
	held := filepath.Join(base, fmt.Sprintf("pgcell-%x", id))
	if err := os.Mkdir(held, 0o700); err != nil {
		t.Fatal(err)
	}
	lock, err := os.Create(filepath.Join(held, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(held, "s")
	if err := os.Mkdir(dir, 0o700); err != nil { // also where a sweep came between and removed it
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ensureEmpty(t, dir)
		os.RemoveAll(held)
		lock.Close()
	})
	return dir
}

// socketBase makes TestSocketParentChild a process that is killed.
const socketBase = "PGCELL_TEST_SOCKET_BASE"

func TestSocketParentChild(t *testing.T) {
	base := os.Getenv(socketBase)
	if base == "" {
		t.Skip("runs as a child of TestKilledTestLeavesNoSockets alone")
	}
	dir := socketParent(t, base)
	if err := os.WriteFile(filepath.Join(dir, "socket"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fmt.Println("made", dir)
	time.Sleep(10 * time.Minute) // it is killed long before
}

func TestKilledTestLeavesNoSockets(t *testing.T) {
	t.Parallel()
	base, err := os.MkdirTemp("/tmp", "sockets-") // short, as paths of sockets must be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSocketParentChild$")
	child.Env = append(os.Environ(), socketBase+"="+base, "GO_TEST_WRAP=0")
	for _, name := range []string{"TEST_TOTAL_SHARDS", "TESTBRIDGE_TEST_ONLY"} {
		child.Env = append(child.Env, name+"=")
	}
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	dir := ""
	for lines := bufio.NewScanner(output); dir == "" && lines.Scan(); {
		if made, ok := strings.CutPrefix(lines.Text(), "made "); ok {
			dir = made
		}
	}
	sweep := func() {
		t.Helper()
		path, err := pgcell()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), path, "exec", "--", "true")
		cmd.Env = append(os.Environ(), "PGCELL_SOCKET_DIR="+base)
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("pgcell exec -- true: %v\n%s", err, output)
		}
	}
	sweep()
	if _, err := os.Stat(filepath.Join(dir, "socket")); err != nil {
		t.Errorf("the directory of a test that runs: %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed
	sweep()
	if left, _ := filepath.Glob(filepath.Join(base, "*")); len(left) > 0 {
		t.Errorf("a killed test leaves %v after the next start", left)
	}
}
