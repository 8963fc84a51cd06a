package netns

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// job is what the helper does before it becomes the command.
type job struct {
	Socket int // descriptor by which it reports
	Listen []netip.AddrPort
	Names  names  // what /etc/hosts is to have; empty leaves it
	Caps   bool   // capabilities are ambient, and not the command's
	Path   string // of the command
	Parent int    // process id of the caller
	Death  syscall.Signal
}

// report is what the helper says, in JSON: first of its listeners, then perhaps that it could not become the command.
type report struct {
	Listens []bool // which of job.Listen it has, whose sockets come along
	Step    string // which failed
	Errno   syscall.Errno
	Setup   bool // the step was one of setting up, which systems forbid
	Exec    bool // it was to execute the command
}

const helperName = "pgcell-netns"

func start(ctx context.Context, cmd *exec.Cmd, c Config, n names) (*Space, error) {
	if cmd.Err != nil {
		return nil, cmd.Err
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer ours.Close()
	var listen []netip.AddrPort
	for _, a := range append(append([]Address{}, c.Serve...), c.Forward...) {
		listen = append(listen, n.endpoints(a)...)
	}
	err = prepare(cmd, &job{Listen: listen, Names: n}, theirs)
	if err == nil {
		err = cmd.Start()
		if err != nil && isForbidding(err) {
			err = forbidden("start a process in it", err)
		}
	}
	theirs.Close()
	if err != nil {
		return nil, err
	}
	sockets, err := receive(ctx, ours, len(listen))
	if err != nil {
		cmd.Process.Kill() // it may have been left waiting
		cmd.Wait()
		return nil, err
	}
	return newSpace(c, n, sockets), nil
}

// socketPair gives two ends of a stream that only these processes have.
func socketPair() (ours *net.UnixConn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	theirs = os.NewFile(uintptr(fds[1]), "netns")
	mine := os.NewFile(uintptr(fds[0]), "netns")
	defer mine.Close()
	conn, err := net.FileConn(mine)
	if err != nil {
		theirs.Close()
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	return conn.(*net.UnixConn), theirs, nil
}

// prepare has cmd execute the helper in new namespaces. A process that may make them as it is needs no user namespace,
// so that root remains root of everything.
func prepare(cmd *exec.Cmd, j *job, socket *os.File) error {
	j.Socket, j.Path = 3+len(cmd.ExtraFiles), cmd.Path
	attr := &syscall.SysProcAttr{}
	if cmd.SysProcAttr != nil {
		copied := *cmd.SysProcAttr
		attr = &copied
	}
	attr.Cloneflags |= syscall.CLONE_NEWNET
	if len(j.Names) > 0 {
		attr.Cloneflags |= syscall.CLONE_NEWNS
	}
	if !capable(unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN) {
		uid, gid := os.Geteuid(), os.Getegid()
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		if uid != 0 { // whose capabilities execve would take
			j.Caps = true
			attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_NET_BIND_SERVICE}
		}
	}
	if attr.Pdeathsig == 0 {
		attr.Pdeathsig = syscall.SIGKILL
	}
	j.Parent, j.Death = os.Getpid(), attr.Pdeathsig
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	cmd.SysProcAttr = attr
	cmd.ExtraFiles = append(cmd.ExtraFiles, socket)
	cmd.Path, cmd.Args = "/proc/self/exe", append([]string{helperName, string(text)}, cmd.Args...)
	return nil
}

// capable reports whether this process has capabilities (capabilities(7)).
func capable(want ...int) bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&header, &data[0]) != nil {
		return false
	}
	for _, c := range want {
		if data[c/32].Effective&(1<<(c%32)) == 0 {
			return false
		}
	}
	return true
}

// receive takes the listeners, and returns when the helper has become the command: its end of the socket then closes. A
// nil listener is one that the system has no address for.
func receive(ctx context.Context, conn *net.UnixConn, most int) ([]net.Listener, error) {
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Now()) })
	defer stop()
	text, fds, err := readAll(conn, most)
	defer closeAll(fds)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("hear from the process in the network namespace: %w", err)
	}
	var said report
	for words := json.NewDecoder(bytes.NewReader(text)); ; {
		var r report
		err := words.Decode(&r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("the process in the network namespace said %.200q, which is no report: %w", text, err)
		}
		if r.Exec {
			return nil, &os.PathError{Op: "fork/exec", Path: r.Step, Err: r.Errno}
		}
		if r.Setup {
			return nil, forbidden(r.Step, r.Errno)
		}
		if r.Errno != 0 {
			return nil, fmt.Errorf("set a network namespace up: %s: %w", r.Step, r.Errno)
		}
		said = r
	}
	return listeners(said.Listens, fds)
}

// readAll reads to the end of the stream, with the descriptors that come along.
func readAll(conn *net.UnixConn, most int) (text []byte, fds []int, err error) {
	buf, control := make([]byte, 4096), make([]byte, unix.CmsgSpace(4*max(1, most)))
	for {
		n, c, _, _, err := conn.ReadMsgUnix(buf, control)
		if errors.Is(err, io.EOF) || err == nil && n == 0 {
			return text, fds, nil
		}
		if err != nil {
			return nil, fds, err
		}
		text = append(text, buf[:n]...)
		messages, _ := unix.ParseSocketControlMessage(control[:c])
		for _, m := range messages {
			more, _ := unix.ParseUnixRights(&m)
			fds = append(fds, more...)
		}
	}
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// listeners makes Go's of the descriptors, which it copies.
func listeners(which []bool, fds []int) ([]net.Listener, error) {
	if which == nil {
		return nil, errors.New("the process in the network namespace ended before it was ready")
	}
	all := make([]net.Listener, len(which))
	next := 0
	for i, there := range which {
		if !there {
			continue
		}
		if next == len(fds) {
			return nil, fmt.Errorf("got %d listeners from the network namespace, want more", len(fds))
		}
		fd, err := unix.FcntlInt(uintptr(fds[next]), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		next++
		file := os.NewFile(uintptr(fd), "listener")
		all[i], err = net.FileListener(file)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("take over a listener: %w", err)
		}
	}
	return all, nil
}

// newSpace gives each address its listeners.
func newSpace(c Config, n names, sockets []net.Listener) *Space {
	s := &Space{config: c}
	take := func(a Address) (mine []net.Listener) {
		count := len(n.endpoints(a))
		for _, l := range sockets[:count] {
			if l != nil {
				mine = append(mine, l)
			}
		}
		sockets = sockets[count:]
		return mine
	}
	for _, a := range c.Serve {
		s.Served = append(s.Served, take(a))
	}
	for _, a := range c.Forward {
		for _, l := range take(a) {
			s.forwarders, s.targets = append(s.forwarders, l), append(s.targets, a)
		}
	}
	return s
}

// become is the helper's whole life.
func become() {
	if os.Args[0] != helperName || len(os.Args) < 3 {
		return
	}
	runtime.LockOSThread() // capabilities are a thread's
	var j job
	if err := json.Unmarshal([]byte(os.Args[1]), &j); err != nil {
		fmt.Fprintf(os.Stderr, "%s is started by pgcell alone: %v\n", helperName, err)
		os.Exit(1)
	}
	syscall.CloseOnExec(j.Socket)
	r, fds := j.enter()
	j.say(r, fds)
	if r.Errno != 0 {
		os.Exit(1)
	}
	// An execve that gains capabilities, as that of this helper may in a user namespace, takes the signal away (prctl(2)).
	unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(j.Death), 0, 0, 0) // fails for no signal alone
	if os.Getppid() != j.Parent {
		os.Exit(1)
	}
	err := syscall.Exec(j.Path, os.Args[2:], os.Environ())
	j.say(report{Exec: true, Step: j.Path, Errno: errno(err)}, nil)
	os.Exit(1)
}

func (j *job) say(r report, fds []int) {
	text, err := json.Marshal(r)
	if err != nil {
		os.Exit(1)
	}
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	unix.Sendmsg(j.Socket, text, rights, nil, 0) // an error means that the parent is gone
}

func errno(err error) syscall.Errno {
	var n syscall.Errno
	if errors.As(err, &n) {
		return n
	}
	return syscall.EIO
}
