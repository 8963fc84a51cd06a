package child_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

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
