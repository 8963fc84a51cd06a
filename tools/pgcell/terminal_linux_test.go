package pgcell_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// mustTerminal gives both ends of a new terminal: the user's and the program's.
func mustTerminal(t *testing.T) (user, program *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminal can be made here: ", err)
	}
	t.Cleanup(func() { user.Close() })
	if err := unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminal can be made here: ", err)
	}
	t.Cleanup(func() { program.Close() })
	return user, program
}

// TestKeepOnATerminal runs a failing test as go test does without -v: its output goes to a pipe. The terminal shows the
// line to connect, and Ctrl-C ends the server after the test process has ended.
func TestKeepOnATerminal(t *testing.T) {
	t.Parallel()
	user, program := mustTerminal(t)
	// The shell leads the session, as a user's does. It survives Ctrl-C, so that the session's end is not what ends the
	// server.
	cmd := exec.Command("/bin/sh", "-c", `trap : INT; "$@" >/dev/null 2>&1; while :; do sleep 0.1; done`, "sh",
		os.Args[0], "-test.run=^TestVictim$", "-test.count=1")
	cmd.Env = append(os.Environ(), victimEnv+"=fail", "PGCELL_KEEP=1")
	cmd.Stdin = program
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	fmt.Fprintln(user)
	kept := regexp.MustCompile(`^pgcell: TestVictim failed and kept cell \S+: psql '(\S+)' .* Ctrl-C or type: rm -r (\S+)\)`)
	var line []string
	for lines := bufio.NewScanner(user); line == nil && lines.Scan(); {
		line = kept.FindStringSubmatch(lines.Text())
	}
	if line == nil {
		t.Fatal("the terminal shows no kept cell")
	}
	defer os.RemoveAll(line[2])
	if !reachable(t, line[1]) {
		t.Errorf("%s cannot be reached", line[1])
	}
	gone := func() bool { _, err := os.Stat(line[2]); return errors.Is(err, fs.ErrNotExist) }
	interrupted := func() bool {
		if gone() && !reachable(t, line[1]) {
			return true
		}
		// Again, since the test process may still have been ending, and the server's keeper not yet listening.
		if _, err := user.WriteString("\x03"); err != nil {
			t.Fatal(err)
		}
		return false
	}
	if !eventually(interrupted) {
		t.Error("Ctrl-C did not end the kept server")
	}
}
