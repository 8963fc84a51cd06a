package postgres

import (
	"fmt"
	"syscall"
)

// Containment is how a server is kept from outliving its test process.
type Containment string

// Auto leaves a choice to pgcell. As a [Containment] it is Namespaces where the system allows it, else Watchdog; as a
// [Storage], Memory where there is room, else Disk.
const Auto = ""

const (
	// Namespaces (Linux): the keeper is the first process of namespaces of its own, and the data lies in memory that
	// only they see; when the keeper ends, the kernel ends every process and frees memory, mounts and shared memory.
	Namespaces Containment = "namespaces"
	// Watchdog: the keeper stops the server and removes its directory; what a kill of both leaves, [Sweep] removes at
	// the next start.
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

// watchdogAttr gives the keeper a session of its own: Ctrl-C is for the tests, not for their server.
func watchdogAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
