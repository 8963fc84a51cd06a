package peer

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

func listening() ([]Listener, error) {
	found := map[string]*Listener{} // by what a file descriptor that holds it leads to
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		err := eachSocket(table, func(s socket) {
			if s.listening {
				found["socket:["+strconv.FormatUint(s.inode, 10)+"]"] = &Listener{Addr: s.local}
			}
		})
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("list the ports that are listened at: %w", err)
		}
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list the ports that are listened at: %w", err)
	}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			claim(found, pid)
		}
	}
	var all []Listener
	for _, l := range found {
		all = append(all, *l)
	}
	slices.SortFunc(all, func(a, b Listener) int {
		if d := int(a.Addr.Port()) - int(b.Addr.Port()); d != 0 {
			return d
		}
		return a.Addr.Compare(b.Addr)
	})
	return all, nil
}

// claim names a process at those of its listeners that no process before it has.
func claim(found map[string]*Listener, pid int) {
	fds := procDir(pid) + "/fd"
	entries, _ := os.ReadDir(fds) // another user's cannot be read
	for _, e := range entries {
		link, err := os.Readlink(fds + "/" + e.Name())
		if err != nil || !strings.HasPrefix(link, "socket:") {
			continue
		}
		if l := found[link]; l != nil && l.PID == 0 {
			name, _ := os.ReadFile(procDir(pid) + "/comm") // the process may end meanwhile
			l.PID, l.Program = pid, string(bytes.TrimSpace(name))
		}
	}
}
