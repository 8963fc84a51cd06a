package pgcell

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
)

// terminal is that of the process, if it has one.
var terminal = &console{ending: map[string]bool{}}

type console struct {
	mu     sync.Mutex
	ending map[string]bool // socket directories that Ctrl-C removes
}

// print shows a line on the terminal itself. Without -v, go test shows what a test logs only after the test process has
// ended, and it waits for a kept server before that.
func (c *console) print(line string) {
	tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0)
	if err != nil {
		return // there is none, as under Bazel or in CI
	}
	defer tty.Close()
	fmt.Fprintln(tty, line)
}

// interruptScript removes the directory $1 when Ctrl-C is pressed, and ends when the directory is gone. It says when it
// is ready for that.
const interruptScript = `trap 'rm -rf "$1"; exit' INT TERM HUP
echo ready; exec >/dev/null
while [ -d "$1" ]; do sleep 0.2; done`

// endAtInterrupt has Ctrl-C end a kept server, by removing its socket directory. The server and its keeper are in a
// session of their own, which no key press reaches, and this process ends before the server does. So a shell in this
// process's group waits in its place. It is ready when endAtInterrupt returns. Cost: about 2 ms.
func (c *console) endAtInterrupt(socketDir string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending[socketDir] {
		return nil
	}
	c.ending[socketDir] = true
	cmd := exec.Command("/bin/sh", "-c", interruptScript, "sh", socketDir)
	ready, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("start the shell that waits for Ctrl-C: %w", err)
	}
	go cmd.Wait() // it may end before this process does
	return nil
}
