package keeper

import (
	"fmt"
	"os"
	"syscall"
)

// nobody is the uid and gid that the server sees itself run as when the caller is root: postgres and initdb refuse uid
// 0, and initdb wants a uid that the system's user database knows.
const nobody = 65534

// NamespacesAttr makes the keeper the first process of new user, mount, pid and IPC namespaces, root in them.
func NamespacesAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Setsid:      true, // Ctrl-C is for the tests, not for their server
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}

// contain finishes what clone began: a /proc of the new pid namespace, without which a second user namespace cannot be
// set up (its uid_map is written by process id), mounts that do not show outside, and memory of the server's own.
func (k *keeper) contain() error {
	if k.job.Containment != Namespaces {
		return nil
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_SLAVE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return k.mountMemory()
}

// serverAttr is how initdb and postgres run: never as uid 0, and never longer than the keeper.
func (k *keeper) serverAttr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGQUIT}
	if os.Getuid() != 0 {
		return attr
	}
	if k.job.Containment == Namespaces || canNest() {
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: 0, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: 0, Size: 1}}
		return attr
	}
	attr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	return attr
}

// canNest reports whether a user namespace of one's own can be made, which spares a chown of all files.
var canNest = func() func() bool {
	var known, can bool
	return func() bool {
		if !known {
			known, can = true, tryNamespaces(syscall.CLONE_NEWUSER) == nil
		}
		return can
	}
}()

// tryNamespaces makes namespaces for a process that ends at once.
func tryNamespaces(flags uintptr) error {
	attr := &syscall.SysProcAttr{
		Cloneflags:  flags,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getgid(), Size: 1}},
	}
	process, err := os.StartProcess("/proc/self/exe", []string{Name}, &os.ProcAttr{Sys: attr, Env: []string{Env + "=" + probeOnly}})
	if err != nil {
		return err
	}
	_, err = process.Wait()
	return err
}

// endNamespace ends all other processes of the keeper's pid namespace, and returns when they have ended.
func endNamespace() {
	syscall.Kill(-1, syscall.SIGKILL)
	for {
		if _, err := syscall.Wait4(-1, nil, 0, nil); err != nil && err != syscall.EINTR {
			return // no child is left: the first process is the parent of all whose parent has ended
		}
	}
}
