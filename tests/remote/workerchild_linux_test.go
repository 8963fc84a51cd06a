package remote_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

const (
	workerVariable       = "PGCELL_TEST_WORKER"        // marks the process that becomes the worker's first
	noNamespacesVariable = "PGCELL_TEST_NO_NAMESPACES" // it forbids further user namespaces
	workerReady          = "the worker serves"
	workerAddress        = "127.0.0.1:8980" // in the worker's network namespace
)

// A worker's first process is this program once more. It is no part of TestMain, which a package has once.
func init() {
	if os.Getenv(workerVariable) == "" {
		return
	}
	if err := beWorker(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// beWorker enters the root and serves until standard input ends. As the first process of its namespace it takes all others
// with it.
func beWorker(root, classes, data, uid string) error {
	if os.Getenv(noNamespacesVariable) != "" {
		if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
			return err
		}
	}
	if err := enterRoot(root, classes, data); err != nil {
		return err
	}
	if err := raiseLoopback(); err != nil {
		return fmt.Errorf("raise the loopback interface: %w", err)
	}
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	id, err := strconv.Atoi(uid)
	if err != nil {
		return err
	}
	cmd := exec.Command(java, "-Xmx1g", "--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.nio=ALL-UNNAMED",
		"-cp", "/worker/classes:"+workerClasspath(), "com.google.devtools.build.remote.worker.RemoteWorker",
		"--work_path=/worker/work", "--cas_path=/worker/cas", "--listen_port=8980")
	cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/bin:/bin", "RUNFILES_DIR=/worker"}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(id), Gid: uint32(id)}}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start java: %w", err)
	}
	go func() {
		err := cmd.Wait()
		fmt.Fprintln(os.Stderr, "the worker ended:", err)
		os.Exit(1)
	}()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", workerAddress)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			return err
		}
	}
	go relay(listener)
	fmt.Println(workerReady)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// relay hands connections from outside of the network namespace on to the worker.
func relay(listener net.Listener) {
	for {
		outside, err := listener.Accept()
		if err != nil {
			return
		}
		inside, err := net.Dial("tcp", workerAddress)
		if err != nil {
			outside.Close()
			continue
		}
		pass := func(to, from net.Conn) {
			io.Copy(to, from)
			to.(*net.TCPConn).CloseWrite()
		}
		go pass(inside, outside)
		go pass(outside, inside)
	}
}

// enterRoot makes root the root directory. It is read-only but for /worker, /tmp and /dev/shm.
func enterRoot(root, classes, data string) error {
	const bind, readOnly = syscall.MS_BIND | syscall.MS_REC, syscall.MS_BIND | syscall.MS_REMOUNT | syscall.MS_RDONLY
	type mount struct {
		source, target, kind string
		flags                uintptr
	}
	mounts := []mount{
		{"", "/", "", syscall.MS_REC | syscall.MS_PRIVATE},
		{root, root, "", bind},
		{"", root, "", readOnly},
		{filepath.Join(data, "home"), root + "/worker", "", bind},
		{classes, root + "/worker/classes", "", bind},
		{filepath.Join(data, "tmp"), root + "/tmp", "", bind},
		{"/dev", root + "/dev", "", bind},
		{"tmpfs", root + "/dev/shm", "tmpfs", syscall.MS_NOSUID | syscall.MS_NODEV},
		{"proc", root + "/proc", "proc", 0},
	}
	for _, dir := range workerJars {
		mounts = append(mounts, mount{dir, root + dir, "", bind})
	}
	for _, m := range mounts {
		if err := syscall.Mount(m.source, m.target, m.kind, m.flags, ""); err != nil {
			return fmt.Errorf("mount %q on %q: %w", m.source, m.target, err)
		}
	}
	if err := syscall.PivotRoot(root, root+"/.host"); err != nil {
		return fmt.Errorf("make %q the root: %w", root, err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	return syscall.Unmount("/.host", syscall.MNT_DETACH)
}

// raiseLoopback sets the interface lo up: netdevice(7).
func raiseLoopback() error {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(socket)
	request := struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}{flags: syscall.IFF_UP}
	copy(request.name[:], "lo")
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(socket), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return errno
	}
	return nil
}
