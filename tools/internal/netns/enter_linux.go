package netns

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// enter sets the namespace up, gives capabilities away, and gives the listeners.
func (j *job) enter() (r report, fds []int) {
	step := func(what string, err error) bool {
		if err != nil {
			r = report{Step: what, Errno: errno(err), Setup: isForbidding(err)}
		}
		return err != nil
	}
	if step("set loopback up", loopbackUp(j.Listen)) {
		return r, nil
	}
	if len(j.Names) > 0 && step("mount a hosts file over /etc/hosts", mountHosts(j.Names)) {
		return r, nil
	}
	r.Listens = []bool{}
	for _, at := range j.Listen {
		fd, err := listen(at)
		if at.Addr().Is6() && (errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.EAFNOSUPPORT)) {
			r.Listens = append(r.Listens, false) // no IPv6 here
			continue
		}
		if step(fmt.Sprintf("listen at %v", at), err) {
			return r, fds
		}
		r.Listens, fds = append(r.Listens, true), append(fds, fd)
	}
	if j.Caps && step("give capabilities away", dropCapabilities()) {
		return r, nil
	}
	return r, fds
}

// loopbackUp sets the interface up, and gives it those IPv4 addresses that it lacks, as aliases.
func loopbackUp(listen []netip.AddrPort) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING | unix.IFF_LOOPBACK)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		return err
	}
	given := map[netip.Addr]bool{}
	for _, at := range listen {
		ip := at.Addr()
		if !ip.Is4() || ip.IsLoopback() || given[ip] {
			continue
		}
		given[ip] = true
		alias, err := unix.NewIfreq(fmt.Sprintf("lo:%d", len(given)))
		if err != nil {
			return err
		}
		if err := alias.SetInet4Addr(ip.AsSlice()); err != nil {
			return err
		}
		if err := unix.IoctlIfreq(fd, unix.SIOCSIFADDR, alias); err != nil {
			return err
		}
	}
	return nil
}

// mountHosts puts a file over /etc/hosts that has no name any more, so that it goes with the namespace.
func mountHosts(n names) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return err
	}
	old, err := os.ReadFile("/etc/hosts")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp("", "pgcell-hosts-")
	if err != nil {
		return err
	}
	defer f.Close()
	defer os.Remove(f.Name())
	if _, err := f.WriteString(hosts(string(old), n)); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	return unix.Mount(f.Name(), "/etc/hosts", "", unix.MS_BIND, "")
}

// listen gives a listening socket. One for IPv6 is for that alone, as 127.0.0.1 has its own.
func listen(at netip.AddrPort) (fd int, err error) {
	family, address := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: int(at.Port()), Addr: v4(at)})
	if at.Addr().Is6() {
		family, address = unix.AF_INET6, &unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}
	}
	if fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return 0, err
	}
	if err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err == nil && family == unix.AF_INET6 {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	if err == nil {
		err = unix.Bind(fd, address)
	}
	if err == nil {
		err = unix.Listen(fd, unix.SOMAXCONN)
	}
	if err != nil {
		unix.Close(fd)
		return 0, err
	}
	return fd, nil
}

func v4(at netip.AddrPort) (ip [4]byte) {
	if at.Addr().Is4() {
		ip = at.Addr().As4()
	}
	return ip
}

// dropCapabilities leaves the command none: those of the user namespace would go on to it as ambient ones.
func dropCapabilities() error {
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		return err
	}
	return nil
}
