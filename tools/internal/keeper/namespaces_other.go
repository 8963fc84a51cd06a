//go:build unix && !linux

package keeper

import (
	"errors"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// NamespacesAttr is nil: there are no namespaces here.
func NamespacesAttr() *syscall.SysProcAttr { return nil }

func (k *keeper) contain() error {
	if k.job.Containment == Namespaces {
		return errors.New("only Linux has namespaces")
	}
	return nil
}

// endNamespace does nothing: there are no namespaces here.
func endNamespace() {}

// serverAttr is how initdb and postgres run: never as uid 0.
func (k *keeper) serverAttr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if uid, gid, ok := unprivileged(); ok {
		attr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	return attr
}

// unprivileged gives the user that the server runs as when the caller is root.
func unprivileged() (uid, gid uint32, ok bool) {
	if os.Getuid() != 0 {
		return 0, 0, false
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return 0, 0, false
	}
	// nobody is -2 on macOS, given as 4294967294.
	id, errU := strconv.ParseInt(u.Uid, 10, 64)
	group, errG := strconv.ParseInt(u.Gid, 10, 64)
	return uint32(id), uint32(group), errU == nil && errG == nil
}
