package child_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/child"
)

// Not parallel: it sends this process a signal.
func TestSignalsArePassedOn(t *testing.T) {
	signals := child.PassSignals()
	defer signals.Stop()
	if got := signals.Received(); got != nil {
		t.Errorf("Received() = %v before any signal", got)
	}
	first := exec.Command("sleep", "60")
	first.SysProcAttr = child.Attr()
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	signals.Add(first.Process)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	signals.Remove(first.Process)
	late := exec.Command("sleep", "60")
	if err := late.Start(); err != nil {
		t.Fatal(err)
	}
	signals.Add(late.Process)
	_ = late.Wait()
	for _, cmd := range []*exec.Cmd{first, late} {
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGHUP {
			t.Errorf("%v: want that SIGHUP ended it", cmd.ProcessState)
		}
	}
	if got := signals.Received(); got != syscall.SIGHUP {
		t.Errorf("Received() = %v, want SIGHUP", got)
	}
}

// Not parallel: it sends this process a signal.
func TestRunPassesSignalsOn(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // for a command that never hears of the signal
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", `trap "exit 7" USR1; touch "$0"; while :; do sleep 0.05; done`, ready)
	send := func(int) {
		for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if _, err := os.Stat(ready); err == nil {
				break
			}
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
			t.Error(err)
		}
	}
	if code, err := child.Run(cmd, "CHILD_TEST_MARK=1", cmd.Start, send); code != 7 || err != nil {
		t.Errorf("Run = %d, %v, want 7, with which the command ends at SIGUSR1", code, err)
	}
}
