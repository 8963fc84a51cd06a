package exec

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/pgcell/pgcell/tools/internal/lend"
)

// WatchName is what this program is called as where it is the watcher: see [Watch].
const WatchName = "pgcell-exec-watch"

// orderly is what the watcher reads before the end of its input where it has nothing to do.
const orderly = "done"

// watcher ends what is left below the command where this process is killed.
type watcher struct {
	cmd *exec.Cmd
	in  io.WriteCloser
}

// startWatcher starts one. It costs the command no time: both start at once.
func (s *session) startWatcher() (*watcher, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{Path: self, Args: []string{WatchName, s.dir.Path()}, Dir: "/", SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &watcher{cmd, in}, cmd.Start()
}

// dismiss tells the watcher that this process ends in good order.
func (w *watcher) dismiss() {
	io.WriteString(w.in, orderly)
	w.in.Close()
	w.cmd.Wait()
}

// Watch waits until the process that holds the other end of its input has ended. If that was killed, Watch ends all
// processes below its command and removes its directory, which args name.
func Watch(args []string, stdin io.Reader) int {
	said, _ := io.ReadAll(stdin)
	if string(said) == orderly || len(args) != 1 {
		return 0
	}
	endMarked(args[0])
	os.RemoveAll(args[0])
	return 0
}

// endMarked ends all processes that have a session's mark in their environment.
func endMarked(dir string) {
	mark := []byte(lend.DirVariable + "=" + dir)
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		found := false
		files, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is well formed
		for _, file := range files {
			environ, err := os.ReadFile(file)
			if err != nil || !hasLine(environ, mark) {
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

func (s *session) endOrphans() { endMarked(s.dir.Path()) }
