package child

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// WatchName is what a program is called as where it is to call [Watch].
const WatchName = "pgcell-exec-watch"

// orderly is what the watcher reads before the end of its input where it has nothing to do.
const orderly = "done"

// Watcher is a process that ends what is left below the command where this process is killed.
type Watcher struct {
	cmd *exec.Cmd
	in  io.WriteCloser
}

// StartWatcher starts one: this program, called as [WatchName]. Where this process is killed, it ends all processes that
// have mark, "NAME=VALUE", in their environment, and removes a directory. It starts beside this process, which waits for
// nothing.
//
// Errors: it cannot be started.
func StartWatcher(dir, mark string) (*Watcher, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{Path: self, Args: []string{WatchName, dir, mark}, Dir: "/", SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &Watcher{cmd, in}, cmd.Start()
}

// Dismiss tells the watcher that this process ends in good order.
func (w *Watcher) Dismiss() {
	io.WriteString(w.in, orderly)
	w.in.Close()
	w.cmd.Wait()
}

// Watch is what a program called as [WatchName] does: it waits until the process that holds the other end of its input
// has ended. args are those that it was called with. clean is called with the directory before that is removed,
// unless it is nil. It gives the exit code.
func Watch(args []string, stdin io.Reader, clean func(dir string) error) int {
	said, _ := io.ReadAll(stdin)
	if string(said) == orderly || len(args) != 2 {
		return 0
	}
	endMarked(args[1])
	if clean != nil {
		clean(args[0])
	}
	os.RemoveAll(args[0])
	return 0
}

// endMarked ends all processes that have a mark in their environment, where the system shows that.
func endMarked(mark string) {
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		found := false
		files, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is well formed
		for _, file := range files {
			environ, err := os.ReadFile(file)
			if err != nil || !hasLine(environ, []byte(mark)) {
				continue
			}
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil && pid != os.Getpid() {
				found = true
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		if !found {
			return
		}
	}
}

// hasLine reports whether one of the strings in an environment, each ended by a zero byte, is the wanted one.
func hasLine(environ, want []byte) bool {
	for v := range bytes.SplitSeq(environ, []byte{0}) {
		if bytes.Equal(v, want) {
			return true
		}
	}
	return false
}
