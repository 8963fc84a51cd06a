package peer

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// looks is how often Of looks for the holder of a socket that is there: a process that forks, or whose parent ends, while
// Of looks may be missed.
const looks = 3

func of(conn net.Conn, root int) (int, error) {
	raw, ok := conn.(syscall.Conn)
	if !ok {
		return 0, fmt.Errorf("a %T has no socket", conn)
	}
	local, remote, tcp := tcpEnds(conn)
	if !tcp {
		return ofUnix(raw, root)
	}
	own, err := inodeOf(raw)
	if err != nil {
		return 0, err
	}
	for range looks {
		pids, err := below(root)
		if err != nil {
			return 0, err
		}
		client, err := clientInode(pids, own, local, remote)
		if err != nil {
			return 0, fmt.Errorf("%w %d: %w", ErrNotBelow, root, err)
		}
		if pid := holder(pids, client); pid != 0 {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("%w %d has the socket", ErrNotBelow, root)
}

// tcpEnds gives the two addresses of a TCP connection, IPv4 ones as such also where they came mapped into IPv6.
func tcpEnds(conn net.Conn) (local, remote netip.AddrPort, ok bool) {
	l, ok := conn.LocalAddr().(*net.TCPAddr)
	if !ok {
		return local, remote, false
	}
	r, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return local, remote, false
	}
	return plain(l.AddrPort()), plain(r.AddrPort()), true
}

// plain takes the zone from an address, and IPv4 out of IPv6.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// inodeOf gives the number by which /proc names this process's own end.
func inodeOf(conn syscall.Conn) (inode uint64, err error) {
	var stat syscall.Stat_t
	err = control(conn, func(fd int) error { return syscall.Fstat(fd, &stat) })
	return stat.Ino, err
}

// control calls f with the connection's file descriptor.
func control(conn syscall.Conn, f func(fd int) error) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}

// ofUnix asks the kernel, which notes who connects to a Unix socket.
func ofUnix(conn syscall.Conn, root int) (int, error) {
	var cred *unix.Ucred
	err := control(conn, func(fd int) (err error) {
		cred, err = unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("getsockopt SO_PEERCRED: %w", err)
	}
	pid := int(cred.Pid)
	if pid <= 0 {
		return 0, fmt.Errorf("%w %d: the client is in a pid namespace that cannot be seen from here", ErrNotBelow, root)
	}
	for p := pid; p > 0; {
		if p == root {
			return pid, nil
		}
		if p, err = parent(p); err != nil {
			return 0, fmt.Errorf("%w %d: process %d has ended, or a parent of it", ErrNotBelow, root, pid)
		}
	}
	return 0, fmt.Errorf("%w %d: it is process %d", ErrNotBelow, root, pid)
}

// clientInode finds the client's end of a connection. The right network namespace is one that knows both ends, ours by
// its inode: the same addresses may be in use in many.
func clientInode(pids []int, own uint64, local, remote netip.AddrPort) (uint64, error) {
	seen := map[string]bool{}
	var unreadable error
	for _, pid := range pids {
		proc := procDir(pid)
		space, err := os.Readlink(proc + "/ns/net")
		if err != nil {
			if !errors.Is(err, os.ErrNotExist) {
				unreadable = err
			}
			continue
		}
		if seen[space] {
			continue
		}
		seen[space] = true
		inode, known, err := lookUp(proc, own, local, remote)
		if err != nil {
			delete(seen, space) // the process has ended; another may be there still
			continue
		}
		if known && inode == 0 {
			return 0, errors.New("the client has closed the connection")
		}
		if known {
			return inode, nil
		}
	}
	if unreadable != nil {
		return 0, fmt.Errorf("its processes cannot be looked at: %w", unreadable)
	}
	return 0, errors.New("no network namespace of these processes has this connection")
}

// holder gives the first of the processes that has the socket open; 0 if none has.
func holder(pids []int, inode uint64) int {
	want := "socket:[" + strconv.FormatUint(inode, 10) + "]"
	for _, pid := range pids {
		if holds(procDir(pid)+"/fd", want) {
			return pid
		}
	}
	return 0
}

// holds reports whether a directory of file descriptors has one that leads to want. One that cannot be read has not.
func holds(fds, want string) bool {
	dir, err := os.Open(fds)
	if err != nil {
		return false
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1) // fails where the process ends meanwhile
	for _, name := range names {
		if link, err := os.Readlink(fds + "/" + name); err == nil && link == want {
			return true
		}
	}
	return false
}

func procDir(pid int) string { return "/proc/" + strconv.Itoa(pid) }
