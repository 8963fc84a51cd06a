package pgcell_test

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/keeper"
	"github.com/pgcell/pgcell/tools/internal/storage"
)

// death is one way for a test process to end.
type death struct {
	name string
	// child is what the victim does by itself once it has its cell; "" waits to be killed.
	child string
	// kill does it from outside; victim and server are process ids.
	kill func(victim, keeper, server int)
	// args are for the victim.
	args []string
	// both tells that the keeper dies as well: then directories, and the watchdog's 56 bytes of shared memory, may stay
	// until the next start.
	both bool
	// storage is where the victim's data lies; "" is auto.
	storage storage.Kind
}

// kill sends a signal to a process, or to the group -pid; one that has ended already is what the tests are after.
func kill(pid int, s syscall.Signal) { syscall.Kill(pid, s) }

var deaths = []death{
	{name: "green", child: "pass"},
	{name: "red", child: "fail"},
	{name: "panic", child: "panic"},
	{name: "exit", child: "exit"},
	{name: "go-timeout", child: "hang", args: []string{"-test.timeout=8s"}},
	{name: "kill-test", kill: func(victim, _, _ int) { kill(victim, syscall.SIGKILL) }},
	{name: "kill-server", child: "query", kill: func(_, _, server int) { kill(server, syscall.SIGKILL) }},
	{name: "kill-test-and-server", kill: func(victim, _, server int) { kill(server, syscall.SIGKILL); kill(victim, syscall.SIGKILL) }},
	{name: "kill-test-and-keeper", both: true,
		kill: func(victim, keeper, _ int) { kill(keeper, syscall.SIGKILL); kill(victim, syscall.SIGKILL) }},
	{name: "kill-all", both: true, kill: func(victim, keeper, server int) {
		kill(victim, syscall.SIGKILL)
		kill(keeper, syscall.SIGKILL)
		kill(server, syscall.SIGKILL)
	}},
	{name: "ctrl-c", kill: func(victim, _, _ int) { kill(-victim, syscall.SIGINT) }},
	{name: "bazel-timeout", kill: func(victim, _, _ int) { // SIGTERM to the group, and later SIGKILL
		kill(-victim, syscall.SIGTERM)
		time.Sleep(50 * time.Millisecond)
		kill(-victim, syscall.SIGKILL)
	}},
}

func TestNothingIsLeft(t *testing.T) {
	for _, how := range []keeper.Containment{keeper.Namespaces, keeper.Watchdog} {
		for _, d := range deaths {
			t.Run(string(how)+"/"+d.name, func(t *testing.T) {
				t.Parallel()
				ensureNothingLeft(t, how, d)
			})
		}
	}
}

// TestNothingIsLeftOnDisk looks at servers in namespaces whose data the kernel does not free: the keeper has to remove
// it, or the next start.
func TestNothingIsLeftOnDisk(t *testing.T) {
	for _, d := range deaths {
		if !slices.Contains([]string{"green", "kill-test", "kill-all"}, d.name) {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			d.storage = storage.Disk
			if v := ensureNothingLeft(t, keeper.Namespaces, d); v.heldDir() == "" {
				t.Errorf("the data lay in %q, want a held directory on disk", v.dataDir)
			}
		})
	}
}

// ensureNothingLeft lets a victim die and looks what is there afterwards.
func ensureNothingLeft(t *testing.T, how keeper.Containment, d death) *victim {
	t.Helper()
	v := mustVictim(t, how, d)
	if d.kill != nil {
		d.kill(v.cmd.Process.Pid, v.keeper, v.server)
	}
	v.cmd.Wait()
	v.ensureGone(t, d)
	return v
}
