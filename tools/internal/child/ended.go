package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// leftOpen is how long the output of a process that has ended is read further, if a process that it started holds it open.
const leftOpen = 10 * time.Second

// Ended is how a process ended.
type Ended struct {
	Code   int       // 128 and the number of the signal for one that was killed
	Signal os.Signal // nil if none ended it
	Took   time.Duration
	CPU    time.Duration // with the children that it waited for
}

// Run runs a command to its end. Until then it is among the processes that signals are passed on to, and it ends with this
// process. started is called with its id; it may be nil.
//
// Errors: the command could not be started, or not waited for.
func (s *Signals) Run(cmd *exec.Cmd, started func(pid int)) (Ended, error) {
	cmd.WaitDelay, cmd.SysProcAttr = leftOpen, attr()
	runtime.LockOSThread() // the process ends with its thread
	defer runtime.UnlockOSThread()
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return Ended{}, fmt.Errorf("start %s: %w", cmd.Args[0], err)
	}
	s.Add(cmd.Process)
	if started != nil {
		started(cmd.Process.Pid)
	}
	err := cmd.Wait()
	s.Remove(cmd.Process)
	e := Ended{Took: time.Since(begin)}
	if cmd.ProcessState == nil {
		return Ended{}, fmt.Errorf("wait for %s: %w", cmd.Args[0], err)
	}
	if errors.Is(err, exec.ErrWaitDelay) && cmd.Stderr != nil {
		_, _ = fmt.Fprintf(cmd.Stderr, "pgcell: the output of %s is incomplete: a process that it started still has it open\n",
			cmd.Args[0])
	}
	e.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	e.Code = cmd.ProcessState.ExitCode()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		e.Signal, e.Code = status.Signal(), 128+int(status.Signal())
	}
	return e, nil
}

// End ends this process as another one ended: by the signal, or with the exit code. It does not return.
func End(code int, sig os.Signal) {
	if sig, ok := sig.(syscall.Signal); ok {
		signal.Reset(sig)
		if syscall.Kill(os.Getpid(), sig) == nil {
			time.Sleep(time.Second) // it takes effect at once, but on another thread
		}
	}
	os.Exit(code)
}
