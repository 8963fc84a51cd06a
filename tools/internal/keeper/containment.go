package keeper

import (
	"fmt"
	"syscall"
)

// Containment is how a server is kept from outliving its test process.
type Containment string

// Auto is Namespaces where the system allows it, else Watchdog.
const Auto Containment = ""

const (
	// Namespaces (Linux): the keeper is the first process of namespaces of its own, and the data lies in memory that
	// only they see; when the keeper ends, the kernel ends every process and frees memory, mounts and shared memory.
	Namespaces Containment = "namespaces"
	// Watchdog: the keeper stops the server and removes its directory; what a kill of both leaves, [held.Sweep] removes
	// at the next start.
	Watchdog Containment = "watchdog"
)

// ParseContainment reads "auto" (or ""), "namespaces" or "watchdog".
func ParseContainment(s string) (Containment, error) {
	switch c := Containment(s); c {
	case Auto, Namespaces, Watchdog:
		return c, nil
	case "auto":
		return Auto, nil
	}
	return "", fmt.Errorf("PGCELL_CONTAINMENT is %q; want auto, namespaces or watchdog", s)
}

// WatchdogAttr gives the keeper a session of its own: Ctrl-C is for the tests, not for their server.
func WatchdogAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
